"""Lists and rules that live on the server: groups by XCAP, presence by resource lists, approval and blocking."""


class Lists:
    """Every method with words is one line of the table; `self._lab.kamailio.xcap` is the account's `xcap`."""
