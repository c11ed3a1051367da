// An OpenID Connect provider on 127.0.0.1: node provider.mjs PORT REDIRECT_URI ACCOUNTS (as JSON). Whoever types an
// account's name as login is that person.
import { Provider } from "oidc-provider";

const [port, redirect, accounts] = [process.argv[2], process.argv[3], JSON.parse(process.argv[4])];
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ client_id: "earworm", client_secret: "only for tests, and long enough", redirect_uris: [redirect] }],
  claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["preferred_username"] },
  features: { devInteractions: { enabled: true } },
  pkce: { required: () => true },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
});
// The log-in page of many a provider has another host than the one that the site talks to.
provider.use(async (context, next) => {
  await next();
  if (context.path.endsWith("/openid-configuration")) {
    context.body.authorization_endpoint = `http://localhost:${port}/auth`;
  }
});
provider.listen(Number(port), "127.0.0.1", () => console.log("ready"));
