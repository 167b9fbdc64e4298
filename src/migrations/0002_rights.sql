-- migrate:up

-- A permission is a pair: what may be done (action) to what (resource). The code asks for the
-- built-in ones by name, so those stay; who holds them is data.
CREATE TABLE permissions (
    id         uuid        NOT NULL DEFAULT gen_random_uuid(),
    resource   varchar(30) NOT NULL,
    action     varchar(30) NOT NULL,
    is_builtin boolean     NOT NULL DEFAULT false,

    CONSTRAINT pk__permissions PRIMARY KEY (id),
    CONSTRAINT uq__permissions__resource__action UNIQUE (resource, action)
);

-- `guest` is everybody, `user` every member, `admin` holds all there is. Nobody needs a row in
-- user_roles for the first two.
CREATE TABLE roles (
    id          uuid         NOT NULL DEFAULT gen_random_uuid(),
    name        varchar(30)  NOT NULL,
    description varchar(280) NOT NULL DEFAULT '',
    is_builtin  boolean      NOT NULL DEFAULT false,

    CONSTRAINT pk__roles PRIMARY KEY (id),
    CONSTRAINT uq__roles__name UNIQUE (name)
);

CREATE TABLE role_permissions (
    role_id       uuid NOT NULL,
    permission_id uuid NOT NULL,

    CONSTRAINT pk__role_permissions PRIMARY KEY (role_id, permission_id),
    CONSTRAINT fk__role_permissions__role_id FOREIGN KEY (role_id)
        REFERENCES roles (id) ON DELETE CASCADE,
    CONSTRAINT fk__role_permissions__permission_id FOREIGN KEY (permission_id)
        REFERENCES permissions (id) ON DELETE CASCADE
);

CREATE INDEX idx__role_permissions__permission_id ON role_permissions (permission_id);

CREATE TABLE user_roles (
    user_id bigint NOT NULL,
    role_id uuid   NOT NULL,

    CONSTRAINT pk__user_roles PRIMARY KEY (user_id, role_id),
    CONSTRAINT fk__user_roles__user_id FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk__user_roles__role_id FOREIGN KEY (role_id)
        REFERENCES roles (id) ON DELETE CASCADE
);

CREATE INDEX idx__user_roles__role_id ON user_roles (role_id);

-- Who changed which rights, from what to what. Never changed itself; outlives what it speaks of.
CREATE TABLE audit_log (
    id         bigserial,
    created_at timestamptz NOT NULL DEFAULT now(),
    actor_id   bigint,
    action     varchar(60) NOT NULL,
    target     varchar(80) NOT NULL,
    before     jsonb,
    after      jsonb,
    request_id varchar(64),

    CONSTRAINT pk__audit_log PRIMARY KEY (id)
);

-- Guards against locking everybody out ask for these few rows.
CREATE INDEX idx__users__is_superuser ON users (id)
    WHERE is_superuser AND status = 1 AND deleted_at IS NULL;


-- The default matrix: who holds what when GopherTalk is new.
CREATE TEMPORARY TABLE matrix (resource text, action text, lowest_role text) ON COMMIT DROP;
INSERT INTO matrix VALUES
    ('product', 'read',         'guest'),
    ('order',   'create',       'user'),
    ('post',    'create',       'user'),
    ('post',    'like',         'user'),
    ('post',    'read',         'user'),
    ('post',    'view',         'user'),
    ('user',    'read',         'user'),
    ('audit',   'read',         'admin'),
    ('order',   'read_any',     'admin'),
    ('order',   'update_any',   'admin'),
    ('post',    'delete_any',   'admin'),
    ('product', 'create',       'admin'),
    ('product', 'delete',       'admin'),
    ('product', 'update',       'admin'),
    ('role',    'read',         'admin'),
    ('role',    'write',        'admin'),
    ('user',    'create',       'admin'),
    ('user',    'delete_any',   'admin'),
    ('user',    'read_private', 'admin'),
    ('user',    'update_any',   'admin');

INSERT INTO roles (name, description, is_builtin) VALUES
    ('guest', 'Everybody, also without a token', true),
    ('user', 'Every member', true),
    ('admin', 'Holds every permission there is', true);

INSERT INTO permissions (resource, action, is_builtin)
SELECT resource, action, true
FROM matrix;

INSERT INTO role_permissions (role_id, permission_id)
SELECT r.id, p.id
FROM permissions p
JOIN matrix m ON m.resource = p.resource AND m.action = p.action
JOIN roles r ON r.name IN (m.lowest_role, 'admin');


-- What is new is the administrators' too.
CREATE FUNCTION grant_to_admin() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO role_permissions (role_id, permission_id)
    SELECT id, NEW.id
    FROM roles
    WHERE name = 'admin';
    RETURN NULL;
END $$;

CREATE TRIGGER tr__permissions__grant_to_admin AFTER INSERT ON permissions
    FOR EACH ROW EXECUTE FUNCTION grant_to_admin();
