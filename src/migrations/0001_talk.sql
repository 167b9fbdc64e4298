-- migrate:up

-- Trigrams make a substring search an index search, in every alphabet.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE users (
    id            bigserial,
    user_name     varchar(30)  NOT NULL,
    first_name    varchar(30)  NOT NULL,
    last_name     varchar(30)  NOT NULL,
    middle_name   varchar(30),
    email         varchar(254),
    password_hash varchar(72)  NOT NULL,
    status        smallint     NOT NULL DEFAULT 1,
    is_superuser  boolean      NOT NULL DEFAULT false,
    created_at    timestamptz  NOT NULL DEFAULT now(),
    updated_at    timestamptz  NOT NULL DEFAULT now(),
    deleted_at    timestamptz,

    CONSTRAINT pk__users PRIMARY KEY (id),
    CONSTRAINT ck__users__status CHECK (status IN (0, 1))
);

-- A deleted user's name and address are free again.
CREATE UNIQUE INDEX idx__users__user_name ON users (user_name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx__users__email ON users (lower(email)) WHERE deleted_at IS NULL;


-- A session begins with a login and lives on through its refresh tokens.
CREATE TABLE sessions (
    id           uuid         NOT NULL,
    user_id      bigint       NOT NULL,
    created_at   timestamptz  NOT NULL DEFAULT now(),
    last_used_at timestamptz  NOT NULL DEFAULT now(),
    expires_at   timestamptz  NOT NULL,
    ended_at     timestamptz,

    CONSTRAINT pk__sessions PRIMARY KEY (id),
    CONSTRAINT fk__sessions__user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE INDEX idx__sessions__user_id ON sessions (user_id, created_at);

-- Every refresh token ever issued for a living session, as a SHA-256. A spent one stays until it
-- expires, so that its second use can be recognised as theft.
CREATE TABLE refresh_tokens (
    token_hash bytea        NOT NULL,
    session_id uuid         NOT NULL,
    expires_at timestamptz  NOT NULL,
    spent_at   timestamptz,

    CONSTRAINT pk__refresh_tokens PRIMARY KEY (token_hash),
    CONSTRAINT fk__refresh_tokens__session_id FOREIGN KEY (session_id)
        REFERENCES sessions (id) ON DELETE CASCADE
);

CREATE INDEX idx__refresh_tokens__session_id ON refresh_tokens (session_id, expires_at);


-- The counters live on the post, so that reading a page counts nothing. The triggers below keep
-- them exact. Room is left on each page, so that counting does not touch the indexes (HOT).
CREATE TABLE posts (
    id            bigserial,
    text          varchar(280) NOT NULL,
    reply_to_id   bigint,
    user_id       bigint       NOT NULL,
    likes_count   integer      NOT NULL DEFAULT 0,
    views_count   integer      NOT NULL DEFAULT 0,
    replies_count integer      NOT NULL DEFAULT 0,
    created_at    timestamptz  NOT NULL DEFAULT now(),
    deleted_at    timestamptz,

    CONSTRAINT pk__posts PRIMARY KEY (id),
    CONSTRAINT fk__posts__reply_to_id FOREIGN KEY (reply_to_id) REFERENCES posts (id),
    CONSTRAINT fk__posts__user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT ck__posts__text CHECK (text <> '')
) WITH (fillfactor = 80);

-- One index for each way of listing, in the order of that list.
CREATE INDEX idx__posts__feed ON posts (id DESC)
    WHERE reply_to_id IS NULL AND deleted_at IS NULL;
CREATE INDEX idx__posts__user_id ON posts (user_id, id DESC)
    WHERE reply_to_id IS NULL AND deleted_at IS NULL;
CREATE INDEX idx__posts__reply_to_id ON posts (reply_to_id, id)
    WHERE deleted_at IS NULL;
CREATE INDEX idx__posts__text ON posts USING gin (text gin_trgm_ops)
    WHERE deleted_at IS NULL;


-- The reader stands first in both keys: one probe answers "has this reader liked that post?".
CREATE TABLE likes (
    user_id    bigint      NOT NULL,
    post_id    bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT pk__likes PRIMARY KEY (user_id, post_id),
    CONSTRAINT fk__likes__user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk__likes__post_id FOREIGN KEY (post_id) REFERENCES posts (id)
);

CREATE TABLE views (
    user_id    bigint      NOT NULL,
    post_id    bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT pk__views PRIMARY KEY (user_id, post_id),
    CONSTRAINT fk__views__user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk__views__post_id FOREIGN KEY (post_id) REFERENCES posts (id)
);


CREATE FUNCTION count_like() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE posts SET likes_count = likes_count + 1 WHERE id = NEW.post_id;
    ELSE
        UPDATE posts SET likes_count = likes_count - 1 WHERE id = OLD.post_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__likes__count AFTER INSERT OR DELETE ON likes
    FOR EACH ROW EXECUTE FUNCTION count_like();


CREATE FUNCTION count_view() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE posts SET views_count = views_count + 1 WHERE id = NEW.post_id;
    RETURN NULL;
END $$;

CREATE TRIGGER tr__views__count AFTER INSERT ON views
    FOR EACH ROW EXECUTE FUNCTION count_view();


-- A reply to a post that is gone is refused here, where its parent's row is locked anyway: the
-- application sees the same violation as for a parent that never was.
CREATE FUNCTION count_reply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        UPDATE posts SET replies_count = replies_count + 1
        WHERE id = NEW.reply_to_id AND deleted_at IS NULL;
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

CREATE TRIGGER tr__posts__count_new AFTER INSERT ON posts
    FOR EACH ROW WHEN (NEW.reply_to_id IS NOT NULL) EXECUTE FUNCTION count_reply();
CREATE TRIGGER tr__posts__count_deleted AFTER UPDATE OF deleted_at ON posts
    FOR EACH ROW
    WHEN (NEW.reply_to_id IS NOT NULL AND OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION count_reply();
