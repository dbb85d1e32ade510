-- Clients that registered themselves (RFC 7591), and what let them.

-- Whoever holds one may register clients, so many and so long.
create table initial_access_token (
    id         text primary key,
    token_hash text not null unique,                 -- SHA-256
    note       text not null,                        -- for whom, in the operator's words
    uses_left  bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    revoked_at bigint
);

-- The management of such a client (RFC 7592).
create table client_registration (
    client_id            text primary key references client (id),
    tokens               text not null,              -- JSON: SHA-256 of each registration access token
    initial_access_token text,                       -- its id; null: registration was open
    created_at           bigint not null
);
