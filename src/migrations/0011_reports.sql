-- works-with: 0004
-- migrate:up

-- What a member tells the moderators about one post or one person.
CREATE TABLE reports (
    id          bigserial,
    reporter_id bigint      NOT NULL,
    post_id     bigint,
    user_id     bigint,
    reason      varchar(13) NOT NULL,
    comment     varchar(1000),
    status      varchar(8)  NOT NULL DEFAULT 'open',
    note        varchar(1000),
    created_at  timestamptz NOT NULL DEFAULT now(),
    decided_at  timestamptz,
    decided_by  bigint,

    CONSTRAINT pk__reports PRIMARY KEY (id),
    CONSTRAINT fk__reports__reporter_id FOREIGN KEY (reporter_id) REFERENCES users (id),
    CONSTRAINT fk__reports__post_id FOREIGN KEY (post_id) REFERENCES posts (id),
    CONSTRAINT fk__reports__user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT fk__reports__decided_by FOREIGN KEY (decided_by) REFERENCES users (id),
    CONSTRAINT ck__reports__about CHECK (num_nonnulls(post_id, user_id) = 1),
    CONSTRAINT ck__reports__oneself CHECK (user_id <> reporter_id),
    CONSTRAINT ck__reports__reason CHECK (
        reason IN ('spam', 'abuse', 'hate', 'violence', 'sexual', 'illegal', 'impersonation',
                   'other')
    ),
    CONSTRAINT ck__reports__status CHECK (status IN ('open', 'resolved', 'rejected')),
    CONSTRAINT ck__reports__decided CHECK ((status = 'open') = (decided_at IS NULL))
);

-- One open report by one person on one thing.
CREATE UNIQUE INDEX uq__reports__open ON reports (reporter_id, post_id, user_id)
    NULLS NOT DISTINCT
    WHERE status = 'open';

-- The queue; the reports on one post; what is erased with an account, and exported.
CREATE INDEX idx__reports__status ON reports (status, id);
CREATE INDEX idx__reports__post_id ON reports (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX idx__reports__user_id ON reports (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX idx__reports__reporter_id ON reports (reporter_id, id);
CREATE INDEX idx__reports__decided_by ON reports (decided_by) WHERE decided_by IS NOT NULL;


-- A post or a person that is gone, or blocked with the reporter, cannot be reported. The locks make
-- the end of the post or of either account wait, so that no text stays of somebody who has left.
CREATE FUNCTION check_report() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    author_id bigint;
BEGIN
    IF NEW.post_id IS NOT NULL THEN
        SELECT user_id INTO author_id
        FROM posts
        WHERE id = NEW.post_id AND deleted_at IS NULL
        FOR SHARE;
    END IF;
    PERFORM lock_users(ARRAY[NEW.reporter_id, NEW.user_id]);
    IF author_id = NEW.reporter_id THEN
        RAISE check_violation USING
            MESSAGE = 'a post cannot be reported by its author',
            CONSTRAINT = 'ck__reports__oneself';
    END IF;
    IF NOT EXISTS (
        SELECT FROM users
        WHERE id = coalesce(author_id, NEW.user_id)
          AND (deleted_at IS NULL OR author_id IS NOT NULL)
          AND id NOT IN (SELECT b.user_id FROM blocked_with(NEW.reporter_id) b)
    ) OR NOT EXISTS (SELECT FROM users WHERE id = NEW.reporter_id AND deleted_at IS NULL) THEN
        RAISE foreign_key_violation USING
            MESSAGE = 'what is reported does not exist for this reporter',
            CONSTRAINT = 'fk__reports__post_id';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER tr__reports__check BEFORE INSERT ON reports
    FOR EACH ROW EXECUTE FUNCTION check_report();


-- Nothing that a person wrote, and nothing that was written about them as a person, outlives their
-- account.
CREATE FUNCTION erase_report_texts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reports SET comment = NULL
    WHERE comment IS NOT NULL AND (reporter_id = NEW.id OR user_id = NEW.id);
    UPDATE reports SET note = NULL
    WHERE note IS NOT NULL AND (decided_by = NEW.id OR user_id = NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER tr__users__erase_report_texts AFTER UPDATE OF deleted_at ON users
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION erase_report_texts();


-- Somebody may have made these before they were built in.
INSERT INTO permissions (resource, action, is_builtin)
VALUES ('report', 'create', true), ('report', 'read', true), ('report', 'resolve', true)
ON CONFLICT (resource, action) DO UPDATE SET is_builtin = true;
INSERT INTO roles (name, description, is_builtin)
VALUES ('moderator', 'Reads what members report, and decides', true)
ON CONFLICT (name) DO UPDATE SET is_builtin = true;
INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id
FROM (
    VALUES
        ('user', 'report', 'create'),
        ('moderator', 'report', 'read'),
        ('moderator', 'report', 'resolve'),
        ('moderator', 'post', 'delete_any')
) AS held (role, resource, action)
JOIN roles r ON r.name = held.role
JOIN permissions p ON p.resource = held.resource AND p.action = held.action
ON CONFLICT DO NOTHING;
