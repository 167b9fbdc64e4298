-- migrate:up

-- Short-lived tokens, as SHA-256 alone. Those of the token service belong to nobody; the others
-- are bound to a user and a purpose, and of these there is one at a time.
CREATE TABLE tokens (
    token_hash bytea       NOT NULL,
    purpose    varchar(20) NOT NULL,
    user_id    bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,

    CONSTRAINT pk__tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk__tokens__user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT uq__tokens__user_id__purpose UNIQUE (user_id, purpose),
    CONSTRAINT ck__tokens__purpose CHECK (
        (purpose = 'app' AND user_id IS NULL)
        OR (purpose IN ('password_reset', 'email_confirm') AND user_id IS NOT NULL)
    )
);

-- For the sweep of what has expired.
CREATE INDEX idx__tokens__expires_at ON tokens (expires_at);
CREATE INDEX idx__sessions__expires_at ON sessions (expires_at);

ALTER TABLE users ADD COLUMN email_confirmed_at timestamptz;


-- A token speaks of the address, or the password, that the user had when it was sent.
CREATE FUNCTION drop_outdated_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF lower(NEW.email) IS DISTINCT FROM lower(OLD.email) THEN
        NEW.email_confirmed_at := NULL;
        DELETE FROM tokens WHERE user_id = NEW.id;
    END IF;
    IF NEW.password_hash <> OLD.password_hash THEN
        DELETE FROM tokens WHERE user_id = NEW.id AND purpose = 'password_reset';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER tr__users__drop_outdated_tokens BEFORE UPDATE OF email, password_hash ON users
    FOR EACH ROW EXECUTE FUNCTION drop_outdated_tokens();
