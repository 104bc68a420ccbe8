-- When a session's password was last given, and where the session began, so that its owner knows it among others.

alter table session add column proven_at bigint not null default 0;
-- Null for a phone's, which has a name of its own.
alter table session add column address text;
-- What the browser or program called itself.
alter table session add column agent text;
