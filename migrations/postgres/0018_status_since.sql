-- Since when a job stands as it does, Unix milliseconds; `doorstep rebuild` fills it in for jobs of before.

alter table job add column status_since bigint;
