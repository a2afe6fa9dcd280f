-- Intents without an outcome. A row comes with its intent and goes with its outcome, each in one transaction.
CREATE TABLE audit_open_intent (
    position BIGINT NOT NULL PRIMARY KEY
);
