// Writes src/api.ts, the types of all requests and answers, from the server's own description:
//   npm --prefix clients/typescript run generate
//   npm --prefix clients/typescript run generate -- https://talk.example.org/openapi.json
// A file, as `src/manage.py openapi --output openapi.json` writes it, will do too.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import openapiTS, { astToString } from 'openapi-typescript';

const given = process.argv[2] ?? 'http://127.0.0.1:3000/openapi.json';
// npm changes the folder; INIT_CWD is the one in which the command was typed.
const source = /^https?:/.test(given)
  ? new URL(given)
  : pathToFileURL(resolve(process.env.INIT_CWD ?? '.', given));
// A field with a default may be left out of a request.
const types = astToString(await openapiTS(source, { defaultNonNullable: false }));
await writeFile(new URL('src/api.ts', import.meta.url), types);
