// Verifies requests on standard input, one JSON a line, with the JavaScript library of Standard Webhooks.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
const { Webhook } = createRequire(process.argv[2] + "/")("standardwebhooks");
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  for (const secret of asked.secrets) {
    try {
      new Webhook(secret).verify(asked.body, asked.headers);
      console.log(secret.slice(0, 9), "verified");
    } catch (error) {
      console.log(secret.slice(0, 9), error.message);
    }
  }
}
