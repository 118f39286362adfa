// Bluesky's own servers (PLC directory, PDS, AppView) on loopback, driven over standard input.
//
// Decided here: what people on the network can be told to do. Not here: PostgreSQL and Redis, which `start` brings up and
// names in DB_POSTGRES_URL and REDIS_HOST; and what the tests expect, which is theirs.
//
// One JSON object a line, answered in order by one line {"answer": ...} or {"refused": "why"}. The first answer, unasked,
// says where the servers are. The network ends when standard input does, or on SIGTERM.
//
//   {"do":"account","name":"acme"}                              -> {handle, did, password, appPassword}
//   {"do":"post","by":"acme","text":"..."}                      -> {uri, cid}
//   {"do":"reply","by":"bea","uri":...,"cid":...,"text":"..."}   -> {uri, cid}      also "quote"
//   {"do":"like","by":"bea","uri":...,"cid":...}                -> {uri, cid}      also "repost"
//   {"do":"follow","by":"bea","did":...}                        -> {uri, cid}
//   {"do":"edit","by":"acme","uri":...,"text":"..."}            -> {uri, cid}      the same key, another text
//   {"do":"delete","by":"acme","uri":...}                       -> {}
//   {"do":"process"}                                            -> {}              the AppView has seen all of the above
const readline = require('node:readline')
const { createRequire } = require('node:module')

// The servers' packages live in a cache outside the clone; everything else is Node's own.
const packages = createRequire(`${process.env.EXPOS_TEST_NODE_MODULES ?? `${__dirname}/node_modules`}/`)
const { TestNetwork } = packages('@atproto/dev-env')
const { AtpAgent, AtUri } = packages('@atproto/api')

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

// Libraries may talk; standard output belongs to the answers.
for (const level of ['log', 'info', 'debug', 'warn']) console[level] = console.error

class People {
  constructor(network) {
    this.network = network
    this.agents = new Map()
  }

  agent(name) {
    const agent = this.agents.get(name)
    if (!agent) throw new Error(`no account named ${name}; known: ${[...this.agents.keys()].join(', ')}`)
    return agent
  }

  async account({ name }) {
    if (this.agents.has(name)) throw new Error(`there is an account named ${name} already`)
    const agent = new AtpAgent({ service: this.network.pds.url })
    const password = `${name}-password`
    const made = await agent.createAccount({ email: `${name}@example.test`, handle: `${name}.test`, password })
    const app = await agent.com.atproto.server.createAppPassword({ name: 'expos' })
    this.agents.set(name, agent)
    return { handle: made.data.handle, did: made.data.did, password, appPassword: app.data.password }
  }

  post({ by, text }) {
    return this.agent(by).post({ text, createdAt: new Date().toISOString() })
  }

  async reply({ by, uri, cid, text }) {
    const parent = { uri, cid }
    const { host, rkey } = new AtUri(uri)
    const { value } = await this.agent(by).getPost({ repo: host, rkey })
    const reply = { root: value.reply?.root ?? parent, parent }
    return this.agent(by).post({ text, reply, createdAt: new Date().toISOString() })
  }

  quote({ by, uri, cid, text }) {
    const embed = { $type: 'app.bsky.embed.record', record: { uri, cid } }
    return this.agent(by).post({ text, embed, createdAt: new Date().toISOString() })
  }

  like({ by, uri, cid }) {
    return this.agent(by).like(uri, cid)
  }

  repost({ by, uri, cid }) {
    return this.agent(by).repost(uri, cid)
  }

  follow({ by, did }) {
    return this.agent(by).follow(did)
  }

  async edit({ by, uri, text }) {
    const agent = this.agent(by)
    const { collection, rkey } = new AtUri(uri)
    const key = { repo: agent.assertDid, collection, rkey }
    const { data } = await agent.com.atproto.repo.getRecord(key)
    const put = await agent.com.atproto.repo.putRecord({ ...key, record: { ...data.value, text }, swapRecord: data.cid })
    return { uri: put.data.uri, cid: put.data.cid }
  }

  async delete({ by, uri }) {
    const { collection, rkey } = new AtUri(uri)
    const agent = this.agent(by)
    await agent.com.atproto.repo.deleteRecord({ repo: agent.assertDid, collection, rkey })
    return {}
  }

  async process() {
    await this.network.processAll()
    return {}
  }
}

const VERBS = ['account', 'post', 'reply', 'quote', 'like', 'repost', 'follow', 'edit', 'delete', 'process']

async function main() {
  const network = await TestNetwork.create({ dbPostgresSchema: 'expos' }) // letters and _ alone
  process.on('SIGTERM', () => stop(network))
  process.on('SIGINT', () => stop(network))
  say({ answer: { pds: network.pds.url, plc: network.plc.url, appview: network.bsky.url } })

  const people = new People(network)
  for await (const line of readline.createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue
    try {
      const command = JSON.parse(line)
      if (!VERBS.includes(command.do)) throw new Error(`unknown: ${command.do}; known: ${VERBS.join(', ')}`)
      say({ answer: await people[command.do](command) })
    } catch (error) {
      say({ refused: String(error?.message ?? error) })
    }
  }
  await stop(network)
}

let stopping = false
async function stop(network) {
  if (stopping) return
  stopping = true
  setTimeout(() => process.exit(1), 8000).unref() // a server that hangs while closing holds nothing worth waiting for
  await network.close()
  process.exit(0)
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
