#!/bin/sh
# Run once, by the image of PostgreSQL, when its data folder is new: a role that owns the
# application's database and may do nothing else, and the database in a locale that knows every
# alphabet.
set -eu
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set password="$DB_PASSWORD" \
  --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE USER gophertalk PASSWORD :'password';
CREATE DATABASE gophertalk OWNER gophertalk ENCODING 'UTF8' LOCALE 'C.UTF-8' TEMPLATE template0;
SQL
