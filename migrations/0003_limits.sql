-- +goose Up
SET lock_timeout = '1s';

-- How many decisions on rate limits were made for a merchant's other services, each minute: for analytics, and kept for a while only.
CREATE TABLE limit_decisions (
    -- No reference: merchants would have to be locked for it, and none is ever deleted.
    merchant_id uuid NOT NULL,
    minute      timestamptz NOT NULL,
    -- Digest of the merchant, the policy and the key.
    subject     bytea NOT NULL,
    -- Each process writes totals of its own, so that a write may be repeated.
    node        uuid NOT NULL,
    kind        text NOT NULL,
    quota       bigint NOT NULL,
    period_ms   bigint NOT NULL,
    burst       bigint NOT NULL,
    -- Of the key: it may name a person.
    key_hash    bytea NOT NULL,
    allowed     bigint NOT NULL,
    refused     bigint NOT NULL,
    PRIMARY KEY (merchant_id, minute, subject, node),
    CONSTRAINT limit_kind_known CHECK (kind IN ('fixed_window', 'sliding_window', 'token_bucket')),
    CONSTRAINT limit_quota_positive CHECK (quota > 0 AND period_ms > 0 AND burst >= 0),
    CONSTRAINT limit_decisions_counted CHECK (allowed >= 0 AND refused >= 0)
);

-- Old ones are deleted by their time.
CREATE INDEX limit_decisions_minute ON limit_decisions (minute);

RESET lock_timeout;

-- +goose Down
DROP TABLE limit_decisions;
