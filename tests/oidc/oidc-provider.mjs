// A real provider, the reference implementation of Node.js. Its argument is a JSON object: the port, the client, what the
// provider is to be set up with besides, and the claims of every person.

import { Provider } from 'oidc-provider';

const { port, client, settings, claims } = JSON.parse(process.argv[2]);

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username'], groups: ['groups'] },
  cookies: { keys: ['a key of the tests'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: `${id}@example.org`, email_verified: true, name: `The ${id}`, ...claims }) }),
  ...settings,
});

provider.listen(port, '127.0.0.1', () => console.log('ready'));
