-- What members say about themselves, each thing only if they like: nobody checked it.
create table profile (
    member_id      text primary key references member (id),
    nickname       text,
    gender         text,                             -- female | male | other
    phone          text,                             -- E.164
    postal_code    text,                             -- 123-4567
    region         text,                             -- 都道府県
    locality       text,                             -- 市区町村
    street_address text,                             -- 番地・建物
    updated_at     bigint not null
);
