-- works-with: 0004
-- migrate:up

-- Who is told what: `actor_id` followed `user_id`, answered, liked or mentioned them. `post_id` is
-- the answer or the mentioning post itself, or the liked post. A like that is taken back keeps its
-- row: given again, it is the same notification, and nobody is told twice.
CREATE TABLE notifications (
    id            bigserial,
    user_id       bigint      NOT NULL,
    actor_id      bigint      NOT NULL,
    kind          varchar(7)  NOT NULL,
    post_id       bigint,
    created_at    timestamptz NOT NULL DEFAULT now(),
    is_taken_back boolean     NOT NULL DEFAULT false,

    CONSTRAINT pk__notifications PRIMARY KEY (user_id, id),
    CONSTRAINT uq__notifications__event
        UNIQUE NULLS NOT DISTINCT (post_id, actor_id, kind, user_id),
    CONSTRAINT fk__notifications__user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk__notifications__actor_id FOREIGN KEY (actor_id) REFERENCES users (id),
    CONSTRAINT fk__notifications__post_id FOREIGN KEY (post_id) REFERENCES posts (id),
    CONSTRAINT ck__notifications__kind CHECK (kind IN ('follow', 'answer', 'like', 'mention'))
);

CREATE INDEX idx__notifications__actor_id ON notifications (actor_id);

-- All up to this one are read.
ALTER TABLE users ADD COLUMN read_notification_id bigint NOT NULL DEFAULT 0;


-- The first ten names in a text, in its order. Not inside a word, an e-mail or web address, and not
-- a host: what follows is neither a letter of any alphabet nor a dot with a letter behind it.
CREATE FUNCTION mentioned_names(post_text text) RETURNS TABLE (user_name text)
LANGUAGE sql IMMUTABLE AS $$
    SELECT found[1]
    FROM regexp_matches(
        post_text,
        '(?<![\w/=@])@([A-Za-z_][A-Za-z0-9_]{4,29})(?![\w@\u0300-\u036F]|[-\w]*\.\w)',
        'g'
    ) WITH ORDINALITY AS matches (found, place)
    GROUP BY found[1]
    ORDER BY min(place)
    LIMIT 10
$$;

-- Before people are told something, and before the id of what they are told is taken: so the ids of
-- one reader are committed in their order, and "read up to this one" cannot include one that the
-- reader has not seen. A block, or the end of an account, waits for this too. Who also locks posts
-- locks them first, and users by their id: so none waits for another in a circle.
CREATE FUNCTION lock_users(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM users WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
END $$;

-- Call `lock_users` first, with the actor and all who are told. One after the other: for one person
-- PostgreSQL plans the statement once, for an array of them each time, which takes longer than the
-- rest.
CREATE FUNCTION tell(told bigint[], what text, actor bigint, post bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    person bigint;
BEGIN
    FOREACH person IN ARRAY told LOOP
        INSERT INTO notifications (user_id, actor_id, kind, post_id)
        SELECT person, actor, what, post
        WHERE person <> actor
          AND (SELECT count(*) FROM users WHERE id IN (person, actor) AND deleted_at IS NULL) = 2
          AND NOT EXISTS (SELECT FROM blocked_with(actor) b WHERE b.user_id = person)
        ON CONFLICT ON CONSTRAINT uq__notifications__event DO UPDATE
        SET is_taken_back = false
        WHERE notifications.is_taken_back;
    END LOOP;
END $$;


-- The row of a follow has locked both users: tr__follows__check.
CREATE FUNCTION tell_of_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM tell(ARRAY[NEW.followed_id], 'follow', NEW.follower_id, NULL);
    ELSE
        UPDATE notifications SET is_taken_back = true
        WHERE post_id IS NULL AND actor_id = OLD.follower_id AND kind = 'follow'
          AND user_id = OLD.followed_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__follows__tell AFTER INSERT OR DELETE ON follows
    FOR EACH ROW EXECUTE FUNCTION tell_of_follow();


-- The post is locked by then: tr__likes__count has counted the like.
CREATE FUNCTION tell_of_like() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    author_id bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT user_id INTO author_id
        FROM posts
        WHERE id = NEW.post_id AND user_id <> NEW.user_id AND deleted_at IS NULL;
        IF FOUND THEN
            PERFORM lock_users(ARRAY[author_id, NEW.user_id]);
            PERFORM tell(ARRAY[author_id], 'like', NEW.user_id, NEW.post_id);
        END IF;
    ELSE
        UPDATE notifications SET is_taken_back = true
        WHERE post_id = OLD.post_id AND actor_id = OLD.user_id AND kind = 'like';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__likes__tell AFTER INSERT OR DELETE ON likes
    FOR EACH ROW EXECUTE FUNCTION tell_of_like();


-- Of a new post, or of what an edit changed: OLD is null for a new one. Who is answered is told of
-- the answer alone, even if they are mentioned in it.
CREATE FUNCTION tell_of_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    answered bigint[] := ARRAY(SELECT user_id FROM posts WHERE id = NEW.reply_to_id);
    mentioned bigint[] := ARRAY(
        SELECT id
        FROM users
        WHERE deleted_at IS NULL AND id <> ALL (answered)
          AND user_name IN (
              SELECT user_name FROM mentioned_names(NEW.text)
              EXCEPT
              SELECT user_name FROM mentioned_names(OLD.text)
          )
    );
BEGIN
    PERFORM lock_users(answered || mentioned || NEW.user_id);
    IF TG_OP = 'INSERT' THEN
        PERFORM tell(answered, 'answer', NEW.user_id, NEW.id);
    ELSE
        UPDATE notifications SET is_taken_back = true
        WHERE post_id = NEW.id AND actor_id = NEW.user_id AND kind = 'mention'
          AND user_id IN (
              SELECT id
              FROM users
              WHERE deleted_at IS NULL
                AND user_name IN (
                    SELECT user_name FROM mentioned_names(OLD.text)
                    EXCEPT
                    SELECT user_name FROM mentioned_names(NEW.text)
                )
          );
    END IF;
    PERFORM tell(mentioned, 'mention', NEW.user_id, NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER tr__posts__tell_new AFTER INSERT ON posts
    FOR EACH ROW WHEN (NEW.reply_to_id IS NOT NULL OR NEW.text LIKE '%@%')
    EXECUTE FUNCTION tell_of_post();
CREATE TRIGGER tr__posts__tell_edited AFTER UPDATE OF text ON posts
    FOR EACH ROW
    WHEN (NEW.deleted_at IS NULL AND NEW.text <> OLD.text AND OLD.text || NEW.text LIKE '%@%')
    EXECUTE FUNCTION tell_of_post();


CREATE FUNCTION erase_notifications_of_post() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM notifications WHERE post_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__posts__erase_notifications AFTER UPDATE OF deleted_at ON posts
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION erase_notifications_of_post();

CREATE FUNCTION erase_notifications_of_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM notifications WHERE user_id = NEW.id OR actor_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__users__erase_notifications AFTER UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION erase_notifications_of_user();


-- The earlier texts of posts. The present one stands in the post.
CREATE TABLE post_texts (
    id         bigserial,
    post_id    bigint       NOT NULL,
    text       varchar(280) NOT NULL,
    written_at timestamptz  NOT NULL,

    CONSTRAINT pk__post_texts PRIMARY KEY (post_id, id),
    CONSTRAINT fk__post_texts__post_id FOREIGN KEY (post_id) REFERENCES posts (id)
);

-- The time of the clock, not that of the transaction: an edit that waited for another is the later
-- one.
CREATE FUNCTION keep_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO post_texts (post_id, text, written_at)
    VALUES (OLD.id, OLD.text, coalesce(OLD.edited_at, OLD.created_at));
    NEW.edited_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE TRIGGER tr__posts__keep_text BEFORE UPDATE OF text ON posts
    FOR EACH ROW WHEN (NEW.deleted_at IS NULL AND NEW.text <> OLD.text)
    EXECUTE FUNCTION keep_text();

-- When the text of a deleted post is erased, so are its earlier ones.
CREATE FUNCTION erase_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM post_texts WHERE post_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__posts__erase_texts AFTER UPDATE OF text ON posts
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND NEW.edited_at IS NOT NULL)
    EXECUTE FUNCTION erase_texts();


-- Somebody may have made this permission before it was built in.
INSERT INTO permissions (resource, action, is_builtin) VALUES ('post', 'edit', true)
ON CONFLICT (resource, action) DO UPDATE SET is_builtin = true;
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id
FROM roles r
JOIN permissions p ON p.resource = 'post' AND p.action = 'edit'
WHERE r.name = 'user'
ON CONFLICT DO NOTHING;
