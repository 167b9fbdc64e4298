-- works-with: 0004
-- migrate:up

-- What the live stream tells, for an hour: ids alone, written by triggers in the transaction of what
-- they tell. `user_id` is the author of the post, or who is told; `object_id` the post, or the
-- notification. No foreign keys: a row is read soon or not at all, and a check would cost more than
-- the row.
--
-- Transactions commit in another order than they take numbers from a sequence, so a reader that goes
-- on after the last number it has seen would miss rows. It goes by `xact_id` instead, and reads only
-- what is older than every transaction that still runs: nothing can appear before that any more.
CREATE TABLE stream_events (
    xact_id    xid8        NOT NULL DEFAULT pg_current_xact_id(),
    id         bigserial,
    kind       varchar(12) NOT NULL,
    user_id    bigint      NOT NULL,
    object_id  bigint,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT pk__stream_events PRIMARY KEY (xact_id, id),
    CONSTRAINT ck__stream_events__kind CHECK (
        kind IN ('post', 'post_edited', 'post_deleted', 'notification', 'unread')
    )
);


-- Top-level posts, as in the home timeline. The argument is the kind.
CREATE FUNCTION stream_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stream_events (kind, user_id, object_id) VALUES (TG_ARGV[0], NEW.user_id, NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER tr__posts__stream_new AFTER INSERT ON posts
    FOR EACH ROW WHEN (NEW.reply_to_id IS NULL)
    EXECUTE FUNCTION stream_post('post');
CREATE TRIGGER tr__posts__stream_edited AFTER UPDATE OF text ON posts
    FOR EACH ROW
    WHEN (NEW.reply_to_id IS NULL AND NEW.deleted_at IS NULL AND NEW.text <> OLD.text)
    EXECUTE FUNCTION stream_post('post_edited');
CREATE TRIGGER tr__posts__stream_deleted AFTER UPDATE OF deleted_at ON posts
    FOR EACH ROW
    WHEN (NEW.reply_to_id IS NULL AND OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION stream_post('post_deleted');


-- Who is told something, and whoever has more or fewer unread notifications than before.
CREATE FUNCTION stream_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stream_events (kind, user_id, object_id)
    VALUES ('notification', NEW.user_id, NEW.id), ('unread', NEW.user_id, NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER tr__notifications__stream_new AFTER INSERT ON notifications
    FOR EACH ROW EXECUTE FUNCTION stream_notification();

CREATE FUNCTION stream_unread() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stream_events (kind, user_id) VALUES ('unread', NEW.user_id);
    RETURN NULL;
END $$;

CREATE TRIGGER tr__notifications__stream_taken_back AFTER UPDATE OF is_taken_back ON notifications
    FOR EACH ROW WHEN (NEW.is_taken_back <> OLD.is_taken_back)
    EXECUTE FUNCTION stream_unread();

-- Once for each person: an account that leaves takes thousands of notifications along.
CREATE FUNCTION stream_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stream_events (kind, user_id) SELECT DISTINCT 'unread', user_id FROM erased;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__notifications__stream_erased AFTER DELETE ON notifications
    REFERENCING OLD TABLE AS erased
    FOR EACH STATEMENT EXECUTE FUNCTION stream_erased();

CREATE FUNCTION stream_read() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO stream_events (kind, user_id) VALUES ('unread', NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER tr__users__stream_read AFTER UPDATE OF read_notification_id ON users
    FOR EACH ROW WHEN (NEW.read_notification_id <> OLD.read_notification_id)
    EXECUTE FUNCTION stream_read();


-- A ticket opens one stream for a session, and goes with it. A user may have several at a time, so
-- the session stands in place of the user.
-- Tokens live for a day at most: the table is small, and a look at all of it blocks nobody for long.
ALTER TABLE tokens
    ADD COLUMN session_id uuid,
    -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
    ADD CONSTRAINT fk__tokens__session_id FOREIGN KEY (session_id)
        REFERENCES sessions (id) ON DELETE CASCADE,
    -- The new one allows all that the old one did.
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT ck__tokens__purpose,
    -- squawk-ignore constraint-missing-not-valid
    ADD CONSTRAINT ck__tokens__purpose CHECK (
        (purpose = 'app' AND user_id IS NULL AND session_id IS NULL)
        OR (purpose = 'stream' AND user_id IS NULL AND session_id IS NOT NULL)
        OR (
            purpose IN ('password_reset', 'email_confirm')
            AND user_id IS NOT NULL AND session_id IS NULL
        )
    );
-- For the sessions that end. It is empty: no ticket was issued yet.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX idx__tokens__session_id ON tokens (session_id) WHERE session_id IS NOT NULL;
