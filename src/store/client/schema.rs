//! The client's schema. Only ever add a step at the end.

/// Steps in order; the number of steps run is the database's `user_version`.
pub(super) const MIGRATIONS: &[&str] = &[
    "
create table account (id integer primary key, name text not null unique);

create table message (
    row integer primary key,
    account integer not null references account(id),
    conversation text not null,
    peer text not null,
    id text not null,
    author text not null,
    at integer not null,
    body text not null,
    format integer not null,
    delivery integer not null,
    reason text,
    read integer not null,
    unique (account, id)
);
create index message_place on message (account, peer, at, row);
create index message_unread on message (account, peer) where read = 0;
create virtual table message_text using fts5(body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');

create table conversation (
    account integer not null references account(id),
    id text not null,
    peer text not null,
    open integer not null,
    position integer not null,
    used integer not null,
    data text not null,
    primary key (account, id)
) without rowid;

create table draft (
    account integer not null references account(id),
    conversation text not null,
    body text not null,
    primary key (account, conversation)
) without rowid;

create table outbox (
    row integer primary key,
    account integer not null references account(id),
    message text not null,
    conversation text not null,
    peer text not null,
    body text not null,
    at integer not null,
    unique (account, message)
);

create table cached (
    account integer not null references account(id),
    kind text not null,
    key text not null,
    data text not null,
    primary key (account, kind, key)
) without rowid;

create table setting (
    account integer not null references account(id),
    name text not null,
    value text not null,
    primary key (account, name)
) without rowid;
",
    "
drop index message_unread;
alter table message drop column read;
",
    "
alter table message add column alone text;
alter table outbox add column alone text;
",
];
