"""Everything that knows FastAPI and is not a route: guards, pages, errors, middleware, docs."""
