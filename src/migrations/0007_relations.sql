-- works-with: 0004
-- migrate:up

-- Who follows whom. `id` is the order in which it happened: lists go by it.
CREATE TABLE follows (
    id          bigserial,
    follower_id bigint      NOT NULL,
    followed_id bigint      NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT pk__follows PRIMARY KEY (follower_id, followed_id),
    CONSTRAINT fk__follows__follower_id FOREIGN KEY (follower_id) REFERENCES users (id),
    CONSTRAINT fk__follows__followed_id FOREIGN KEY (followed_id) REFERENCES users (id),
    CONSTRAINT ck__follows__oneself CHECK (follower_id <> followed_id)
);

CREATE INDEX idx__follows__follower_id ON follows (follower_id, id DESC);
CREATE INDEX idx__follows__followed_id ON follows (followed_id, id DESC);

CREATE TABLE mutes (
    id         bigserial,
    muter_id   bigint      NOT NULL,
    muted_id   bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT pk__mutes PRIMARY KEY (muter_id, muted_id),
    CONSTRAINT fk__mutes__muter_id FOREIGN KEY (muter_id) REFERENCES users (id),
    CONSTRAINT fk__mutes__muted_id FOREIGN KEY (muted_id) REFERENCES users (id),
    CONSTRAINT ck__mutes__oneself CHECK (muter_id <> muted_id)
);

CREATE INDEX idx__mutes__muter_id ON mutes (muter_id, id DESC);
CREATE INDEX idx__mutes__muted_id ON mutes (muted_id);

CREATE TABLE blocks (
    id         bigserial,
    blocker_id bigint      NOT NULL,
    blocked_id bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT pk__blocks PRIMARY KEY (blocker_id, blocked_id),
    CONSTRAINT fk__blocks__blocker_id FOREIGN KEY (blocker_id) REFERENCES users (id),
    CONSTRAINT fk__blocks__blocked_id FOREIGN KEY (blocked_id) REFERENCES users (id),
    CONSTRAINT ck__blocks__oneself CHECK (blocker_id <> blocked_id)
);

CREATE INDEX idx__blocks__blocker_id ON blocks (blocker_id, id DESC);
CREATE INDEX idx__blocks__blocked_id ON blocks (blocked_id, blocker_id);


-- Statements that read name these in their FROM, where PostgreSQL puts their text in their place:
-- they cost one probe for each index, and nothing where nobody is blocked or muted.
CREATE FUNCTION blocked_with(reader_id bigint) RETURNS TABLE (user_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT blocked_id FROM blocks WHERE blocker_id = reader_id
    UNION ALL
    SELECT blocker_id FROM blocks WHERE blocked_id = reader_id
$$;

CREATE FUNCTION hidden_from(reader_id bigint) RETURNS TABLE (user_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT blocked_id FROM blocks WHERE blocker_id = reader_id
    UNION ALL
    SELECT blocker_id FROM blocks WHERE blocked_id = reader_id
    UNION ALL
    SELECT muted_id FROM mutes WHERE muter_id = reader_id
$$;


-- The counters of a profile, kept exact by the triggers below.
ALTER TABLE users
    ADD COLUMN followers_count integer NOT NULL DEFAULT 0,
    ADD COLUMN following_count integer NOT NULL DEFAULT 0;
-- Room on each page, so that counting does not touch the indexes (HOT).
ALTER TABLE users SET (fillfactor = 85);

-- All who change relations between two people lock both rows, the lower id first: so none waits
-- for another in a circle, and a follow and a block of the same two do not miss each other.
CREATE FUNCTION check_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users
    WHERE id IN (NEW.follower_id, NEW.followed_id)
    ORDER BY id
    FOR NO KEY UPDATE;
    IF NOT EXISTS (
        SELECT FROM users
        WHERE id = NEW.followed_id AND deleted_at IS NULL
          AND id NOT IN (SELECT user_id FROM blocked_with(NEW.follower_id))
    ) THEN
        RAISE foreign_key_violation USING
            MESSAGE = 'the user who is followed does not exist for this follower',
            CONSTRAINT = 'fk__follows__followed_id';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER tr__follows__check BEFORE INSERT ON follows
    FOR EACH ROW EXECUTE FUNCTION check_follow();

-- Once for each statement: an account that leaves may have thousands of followers.
CREATE FUNCTION count_follows() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    step integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM FROM users
    WHERE id IN (SELECT follower_id FROM changed UNION SELECT followed_id FROM changed)
    ORDER BY id
    FOR NO KEY UPDATE;
    UPDATE users u
    SET followers_count = u.followers_count + step * c.followers,
        following_count = u.following_count + step * c.following
    FROM (
        SELECT id, sum(followers) AS followers, sum(following) AS following
        FROM (
            SELECT followed_id AS id, 1 AS followers, 0 AS following FROM changed
            UNION ALL
            SELECT follower_id, 0, 1 FROM changed
        ) each
        GROUP BY id
    ) c
    WHERE u.id = c.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__follows__count_new AFTER INSERT ON follows
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_follows();
CREATE TRIGGER tr__follows__count_ended AFTER DELETE ON follows
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION count_follows();

CREATE FUNCTION end_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users
    WHERE id IN (NEW.blocker_id, NEW.blocked_id)
    ORDER BY id
    FOR NO KEY UPDATE;
    DELETE FROM follows
    WHERE (follower_id = NEW.blocker_id AND followed_id = NEW.blocked_id)
       OR (follower_id = NEW.blocked_id AND followed_id = NEW.blocker_id);
    RETURN NEW;
END $$;

CREATE TRIGGER tr__blocks__end_follows BEFORE INSERT ON blocks
    FOR EACH ROW EXECUTE FUNCTION end_follows();


-- After the row itself is erased, whose counters this changes once more.
CREATE FUNCTION erase_relations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM follows WHERE follower_id = NEW.id OR followed_id = NEW.id;
    DELETE FROM mutes WHERE muter_id = NEW.id OR muted_id = NEW.id;
    DELETE FROM blocks WHERE blocker_id = NEW.id OR blocked_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__users__erase_relations AFTER UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION erase_relations();


-- A reply to a post of somebody blocked is refused like one to a post that is gone.
CREATE OR REPLACE FUNCTION count_reply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE posts SET replies_count = replies_count + 1
        WHERE id = NEW.reply_to_id AND deleted_at IS NULL
          AND user_id NOT IN (SELECT b.user_id FROM blocked_with(NEW.user_id) b);
        IF NOT FOUND THEN
            RAISE foreign_key_violation USING
                MESSAGE = 'the post that is answered does not exist',
                CONSTRAINT = 'fk__posts__reply_to_id';
        END IF;
    ELSE
        UPDATE posts SET replies_count = replies_count - 1 WHERE id = NEW.reply_to_id;
    END IF;
    RETURN NULL;
END $$;

-- When the text was changed last; earlier texts come with the history.
ALTER TABLE posts ADD COLUMN edited_at timestamptz;

-- Somebody may have made this permission before it was built in.
INSERT INTO permissions (resource, action, is_builtin) VALUES ('user', 'follow', true)
ON CONFLICT (resource, action) DO UPDATE SET is_builtin = true;
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id
FROM roles r
JOIN permissions p ON p.resource = 'user' AND p.action = 'follow'
WHERE r.name = 'user'
ON CONFLICT DO NOTHING;
