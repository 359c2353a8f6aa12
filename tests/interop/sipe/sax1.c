/* Preloaded into finch: lets pidgin-sipe read XML with the libxml2 of Debian 12.
 *
 * The plugin hands libxml2 a handler that claims to be of the second SAX kind but has only
 * the callbacks of the first. Security updates of libxml2 2.9.14 take the claim at its word
 * and call nobody, and the plugin then sees every document as empty. Here such a handler is
 * passed on as what it is.
 *
 *   cc -shared -fPIC -o sax1.so sax1.c -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>

/* Mark of the second kind in a handler (XML_SAX2_MAGIC of libxml2's public interface). */
#define SECOND_KIND 0xDEEDBEAFu

/* The slots of libxml2's xmlSAXHandler, by position. */
enum { START_ELEMENT = 14 };
typedef struct {
	void *callbacks[27];
	unsigned int kind;
	void *user;
	void *start_element_ns;
	void *end_element_ns;
	void *structured_error;
} sax;

typedef int parse(sax *, void *, const char *, int);

int xmlSAXUserParseMemory(sax *handler, void *user, const char *text, int length)
{
	parse *next = (parse *)dlsym(RTLD_NEXT, "xmlSAXUserParseMemory");
	sax honest;

	if (!handler || handler->kind != SECOND_KIND || handler->start_element_ns || !handler->callbacks[START_ELEMENT])
		return next(handler, user, text, length);
	memcpy(&honest, handler, sizeof honest);
	honest.kind = 1;
	return next(&honest, user, text, length);
}
