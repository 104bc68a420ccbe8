-- How much a phone handed in within a day.

create index change_by_device on change (device_id, received_at);
