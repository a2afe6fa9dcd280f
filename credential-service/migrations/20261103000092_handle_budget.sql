-- What is left of the budgets of handles that have one. NULL is any amount.
CREATE TABLE handle_budget (
    handle_id TEXT NOT NULL PRIMARY KEY,
    calls_left BIGINT,
    records_left BIGINT,
    expire_time BIGINT NOT NULL
);
CREATE INDEX handle_budget_by_expire_time ON handle_budget (expire_time);
