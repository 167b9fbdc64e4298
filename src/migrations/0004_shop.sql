-- migrate:up

-- A product that is deleted stays for the orders that name it.
CREATE TABLE products (
    id         bigserial,
    name       varchar(128)   NOT NULL,
    price      numeric(12, 2) NOT NULL,
    in_stock   boolean        NOT NULL DEFAULT true,
    created_at timestamptz    NOT NULL DEFAULT now(),
    updated_at timestamptz    NOT NULL DEFAULT now(),
    deleted_at timestamptz,

    CONSTRAINT pk__products PRIMARY KEY (id),
    CONSTRAINT ck__products__name CHECK (length(name) >= 2),
    CONSTRAINT ck__products__price CHECK (price BETWEEN 0 AND 9999999999.99)
);

CREATE INDEX idx__products__live ON products (id) WHERE deleted_at IS NULL;


-- `number` counts the orders; clients know them by `id`, which tells nothing about the others.
CREATE TABLE orders (
    id          uuid           NOT NULL,
    number      bigserial,
    user_id     bigint         NOT NULL,
    status      varchar(10)    NOT NULL DEFAULT 'PENDING',
    total_price numeric(18, 2) NOT NULL,
    created_at  timestamptz    NOT NULL DEFAULT now(),
    updated_at  timestamptz    NOT NULL DEFAULT now(),

    CONSTRAINT pk__orders PRIMARY KEY (id),
    CONSTRAINT uq__orders__number UNIQUE (number),
    CONSTRAINT fk__orders__user_id FOREIGN KEY (user_id) REFERENCES users (id),
    CONSTRAINT ck__orders__status CHECK (status IN ('PENDING', 'PAID', 'SHIPPED', 'CANCELED')),
    CONSTRAINT ck__orders__total_price CHECK (total_price >= 0)
);

-- One index for each way of listing, in the order of that list.
CREATE INDEX idx__orders__status ON orders (status, number DESC);
CREATE INDEX idx__orders__user_id ON orders (user_id, number DESC);
CREATE INDEX idx__orders__user_id__status ON orders (user_id, status, number DESC);

-- Name and price as they were when the order was made.
CREATE TABLE order_items (
    order_id   uuid           NOT NULL,
    position   smallint       NOT NULL,
    product_id bigint         NOT NULL,
    name       varchar(128)   NOT NULL,
    price      numeric(12, 2) NOT NULL,
    quantity   smallint       NOT NULL,

    CONSTRAINT pk__order_items PRIMARY KEY (order_id, position),
    CONSTRAINT uq__order_items__order_id__product_id UNIQUE (order_id, product_id),
    CONSTRAINT fk__order_items__order_id FOREIGN KEY (order_id)
        REFERENCES orders (id) ON DELETE CASCADE,
    CONSTRAINT fk__order_items__product_id FOREIGN KEY (product_id) REFERENCES products (id),
    CONSTRAINT ck__order_items__quantity CHECK (quantity BETWEEN 1 AND 1000)
);

-- What a client may send twice. The primary key makes the second request wait for the first.
CREATE TABLE idempotency_keys (
    user_id      bigint       NOT NULL,
    key          varchar(255) NOT NULL,
    request_hash bytea        NOT NULL,
    order_id     uuid         NOT NULL,
    created_at   timestamptz  NOT NULL DEFAULT now(),

    CONSTRAINT pk__idempotency_keys PRIMARY KEY (user_id, key),
    CONSTRAINT fk__idempotency_keys__order_id FOREIGN KEY (order_id)
        REFERENCES orders (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);

-- For the sweep of what has expired, and for the cascade.
CREATE INDEX idx__idempotency_keys__created_at ON idempotency_keys (created_at);
CREATE INDEX idx__idempotency_keys__order_id ON idempotency_keys (order_id);


-- What has happened and must be told: written with the change itself, delivered by the relay.
CREATE TABLE outbox (
    id         bigserial,
    event_id   uuid        NOT NULL DEFAULT gen_random_uuid(),
    event      varchar(40) NOT NULL,
    payload    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts   integer     NOT NULL DEFAULT 0,
    due_at     timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    parked_at  timestamptz,

    CONSTRAINT pk__outbox PRIMARY KEY (id),
    CONSTRAINT uq__outbox__event_id UNIQUE (event_id)
);

CREATE INDEX idx__outbox__waiting ON outbox (id) WHERE done_at IS NULL AND parked_at IS NULL;
CREATE INDEX idx__outbox__done_at ON outbox (done_at) WHERE done_at IS NOT NULL;

-- What the consumer has done. An event that arrives twice finds its id taken.
CREATE TABLE order_events (
    event_id    uuid        NOT NULL,
    order_id    uuid        NOT NULL,
    event       varchar(40) NOT NULL,
    happened_at timestamptz NOT NULL,
    handled_at  timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT pk__order_events PRIMARY KEY (event_id),
    CONSTRAINT fk__order_events__order_id FOREIGN KEY (order_id)
        REFERENCES orders (id) ON DELETE CASCADE
);

CREATE INDEX idx__order_events__order_id ON order_events (order_id, happened_at);
