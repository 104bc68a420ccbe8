-- Why a phone was shut out, and who brought a rule pack.

alter table device add column revoked_reason text;

-- Null for a pack that comes with the program.
alter table rule_pack add column added_by uuid;
-- A pack that was taken back before it held; its id stays taken for good.
alter table rule_pack add column withdrawn_at bigint;
