-- Claims that a member allowed one by one (OIDC Core §5.5), space-separated, beside the scopes.
alter table consent add column claims text not null default '';
