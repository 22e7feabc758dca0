-- Who holds keys. A name has one role for good: what was done under it must not change its meaning.
CREATE TABLE key_holder (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_-]{0,31}$'),
    role text NOT NULL CHECK (role IN ('channel', 'staff')),
    UNIQUE (name, role)
);
COMMENT ON COLUMN key_holder.name IS 'Of a channel, or of a program of the house.';
GRANT SELECT, INSERT ON key_holder TO {role};

-- Keys of HTTP callers. Of the secret only the hash is here: it has 256 bits, so it cannot be guessed from a plain hash.
CREATE TABLE api_key (
    prefix text PRIMARY KEY CHECK (prefix ~ '^[2-9A-Z]{8}$'),
    secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
    name text NOT NULL,
    role text NOT NULL,
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    rate_per_second double precision CHECK (rate_per_second > 0),
    burst integer CHECK (burst > 0),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    expires_at timestamptz CHECK (expires_at >= created_at),
    revoked_at timestamptz,
    revoked_by text,
    last_used_at timestamptz,
    replaces text UNIQUE REFERENCES api_key,
    number integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    FOREIGN KEY (name, role) REFERENCES key_holder (name, role),
    CONSTRAINT known_scopes CHECK (scopes <@ ARRAY[
        'submit', 'batch', 'move', 'feedback', 'read', 'texts', 'processes', 'quality', 'verify', 'keys', 'audit'
    ]),
    CONSTRAINT channels_administer_nothing CHECK (
        role = 'staff' OR scopes <@ ARRAY['submit', 'batch', 'move', 'feedback', 'read', 'texts']
    ),
    CONSTRAINT rate_with_burst CHECK ((rate_per_second IS NULL) = (burst IS NULL)),
    CONSTRAINT revoked_by_somebody CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
COMMENT ON TABLE api_key IS 'All instants are real time: how long a key is good has nothing to do with business time.';
COMMENT ON COLUMN api_key.prefix IS 'The part of the key by which people and look-ups know it; no secret.';
COMMENT ON COLUMN api_key.last_used_at IS 'Written about once a minute, not on each call.';
COMMENT ON COLUMN api_key.replaces IS 'The key that this one was made for by a rotation; a key is replaced once.';
CREATE INDEX api_key_of_name ON api_key (name, number DESC);

GRANT SELECT, INSERT ON api_key TO {role};
GRANT UPDATE (expires_at, revoked_at, revoked_by, last_used_at) ON api_key TO {role};

-- Who read personal data. Append-only: the service is granted neither UPDATE nor DELETE.
CREATE TABLE access_record (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    who text NOT NULL,
    subject text NOT NULL,
    roles text[] NOT NULL,
    route text NOT NULL,
    what text NOT NULL CHECK (what IN ('texts', 'contacts', 'export')),
    reference text,
    customer_id uuid,
    occurred_at timestamptz NOT NULL,
    real_at timestamptz NOT NULL,
    correlation_id text NOT NULL,
    CONSTRAINT of_something CHECK (what = 'export' OR num_nonnulls(reference, customer_id) > 0)
);
COMMENT ON COLUMN access_record.who IS 'The name of the caller.';
COMMENT ON COLUMN access_record.subject IS 'What the issuer knows the caller by and never gives to another; of a key its prefix.';
COMMENT ON COLUMN access_record.roles IS 'What the caller had then: roles of staff, or channel.';
COMMENT ON COLUMN access_record.occurred_at IS 'Business time.';
COMMENT ON COLUMN access_record.real_at IS 'Real time.';
CREATE INDEX access_record_of_who ON access_record (who, number DESC);
CREATE INDEX access_record_of_reference ON access_record (reference, number DESC);

GRANT SELECT, INSERT ON access_record TO {role};
