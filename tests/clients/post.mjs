// Posts a file to an address three times; prints the statuses.
import { readFileSync } from 'node:fs';

const [file, url] = process.argv.slice(2);
for (let n = 0; n < 3; n++) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(url, { method: 'POST', headers, body: readFileSync(file) });
  await answer.arrayBuffer();
  console.log(answer.status);
}
