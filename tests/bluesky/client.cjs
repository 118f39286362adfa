// The network's own client library against a server: what an app does in a day, and every answer held against the lexicons.
//
// Decided here: what the client does, in which order, and that each answer is one that the library's own schemas allow. The
// server is named on the command line; what became of it is for the test to look at.
//
//   node client.cjs URL HANDLE PASSWORD READER READER_PASSWORD     -> one JSON object on standard output, or exit 1 with why
const assert = require('node:assert')
const { createRequire } = require('node:module')

const packages = createRequire(`${process.env.EXPOS_TEST_NODE_MODULES ?? `${__dirname}/node_modules`}/`)
const { AtpAgent, RichText, jsonToLex, lexicons } = packages('@atproto/api')

const checked = []
let refused = []

// Every answer passes through here before the library sees it.
async function watched(input, init) {
  const answer = await fetch(input, init)
  const url = new URL(typeof input === 'string' ? input : input.url ?? input.href)
  const nsid = url.pathname.replace('/xrpc/', '')
  const body = await answer.clone().text()
  if (answer.status === 200) {
    if (lexicons.getDef(nsid)?.output?.encoding === 'application/json') {
      lexicons.assertValidXrpcOutput(nsid, jsonToLex(JSON.parse(body)))
      checked.push(nsid)
    }
  } else {
    const { error, message } = JSON.parse(body)
    assert.ok(error && message, `${nsid} answered ${answer.status} without error and message: ${body}`)
    refused.push(`${answer.status} ${error}`)
  }
  return answer
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC',
  'base64',
)

async function until(what, look) {
  for (let turn = 0; turn < 100; turn++) {
    const found = await look()
    if (found) return found
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`${what} did not come about`)
}

async function refuses(expected, call) {
  refused = []
  await assert.rejects(call)
  assert.deepStrictEqual(refused, [expected])
}

async function main([service, handle, password, readerHandle, readerPassword]) {
  const open = async (identifier, secret) => {
    const agent = new AtpAgent({ service, fetch: watched })
    await agent.login({ identifier, password: secret })
    return agent
  }
  const acme = await open(handle, password)
  const reader = await open(readerHandle, readerPassword)
  await acme.com.atproto.server.describeServer()
  await acme.com.atproto.server.getSession()
  assert.strictEqual((await acme.resolveHandle({ handle })).data.did, acme.assertDid)

  // A post with link, mention, tag and picture.
  const words = new RichText({ text: `Rye 🍞 at https://example.com/rye by @${readerHandle} #SourDough` })
  await words.detectFacets(acme)
  assert.strictEqual(words.facets.length, 3)
  const blob = (await acme.uploadBlob(PNG, { encoding: 'image/png' })).data.blob
  const embed = {
    $type: 'app.bsky.embed.images',
    images: [{ image: blob, alt: 'one white pixel', aspectRatio: { width: 1, height: 1 } }],
  }
  const post = await acme.post({ text: words.text, facets: words.facets, embed, langs: ['en'] })
  const stored = await acme.getPost({ repo: acme.assertDid, rkey: post.uri.split('/').pop() })
  assert.strictEqual(stored.cid, post.cid)
  assert.ok(lexicons.assertValidRecord('app.bsky.feed.post', stored.value))
  const { data } = await acme.com.atproto.sync.getBlob({ did: acme.assertDid, cid: blob.ref.toString() })
  assert.ok(PNG.equals(Buffer.from(data)))

  // What other people do, and take back.
  await until('the post on the read server', async () => (await reader.getPosts({ uris: [post.uri] })).data.posts[0])
  const like = await reader.like(post.uri, post.cid)
  await reader.repost(post.uri, post.cid)
  await reader.follow(acme.assertDid)
  const strong = { uri: post.uri, cid: post.cid }
  const reply = await reader.post({ text: 'Keep one for me', reply: { root: strong, parent: strong } })
  await acme.post({ text: 'Two!', reply: { root: strong, parent: reply } })
  await reader.post({ text: 'Look', embed: { $type: 'app.bsky.embed.record', record: strong } })
  const card = { uri: 'https://example.com/', title: 'Bread', description: 'All of it' }
  await acme.post({ text: 'Card', embed: { $type: 'app.bsky.embed.external', external: card } })
  await acme.upsertProfile((old) => ({ ...old, displayName: 'Acme Bakery', description: 'Bread.' }))
  const counted = await until('all counts', async () => {
    const shown = (await reader.getPosts({ uris: [post.uri] })).data.posts[0]
    return shown.likeCount && shown.repostCount && shown.replyCount && shown.quoteCount ? shown : undefined
  })
  assert.strictEqual(counted.viewer.like, like.uri)
  assert.strictEqual(counted.embed.images[0].alt, 'one white pixel')
  const { thumb } = counted.embed.images[0]
  if (thumb.startsWith(service)) assert.ok(PNG.equals(Buffer.from(await (await fetch(thumb)).arrayBuffer())))
  await until('the answer to the answer', async () => {
    const { thread } = (await reader.getPostThread({ uri: post.uri, depth: 5 })).data
    return thread.replies[0]?.replies[0]
  })
  assert.strictEqual((await reader.getLikes({ uri: post.uri })).data.likes[0].actor.did, reader.assertDid)
  assert.strictEqual((await reader.getRepostedBy({ uri: post.uri })).data.repostedBy.length, 1)
  assert.strictEqual((await reader.app.bsky.feed.getQuotes({ uri: post.uri })).data.posts.length, 1)
  await reader.deleteLike(like.uri)
  await until('the like gone', async () => (await reader.getPosts({ uris: [post.uri] })).data.posts[0].likeCount === 0)

  // Feeds, profiles, listings.
  await until('the name', async () => (await reader.getProfile({ actor: handle })).data.displayName === 'Acme Bakery')
  await reader.getProfiles({ actors: [handle, readerHandle] })
  const feed = (await reader.getAuthorFeed({ actor: readerHandle })).data.feed
  assert.ok(feed.some((item) => item.reason?.by.did === reader.assertDid))
  assert.ok(feed.some((item) => item.reply?.parent.uri === post.uri))
  await reader.app.bsky.actor.getPreferences()
  const repo = { repo: acme.assertDid, collection: 'app.bsky.feed.post' }
  assert.strictEqual((await acme.com.atproto.repo.listRecords({ ...repo, limit: 2 })).data.records.length, 2)
  await acme.com.atproto.repo.describeRepo({ repo: handle })
  await acme.com.atproto.sync.getRepoStatus({ did: acme.assertDid })

  // Writing exactly: the same bytes are nothing new, others are refused, a batch is one commit.
  const rkey = stored.uri.split('/').pop()
  const put = { ...repo, rkey, record: stored.value, swapRecord: null }
  const again = (await acme.com.atproto.repo.putRecord(put)).data
  assert.deepStrictEqual([again.cid, again.commit], [post.cid, undefined])
  await refuses('400 InvalidSwap', () =>
    acme.com.atproto.repo.putRecord({ ...put, record: { ...stored.value, text: 'Oats' } }))
  await refuses('400 InvalidRequest', () => acme.post({ text: 'ab'.repeat(151) }))
  await refuses('500 InternalServerError', () => acme.com.atproto.repo.createRecord({ ...repo, rkey, record: stored.value }))
  const write = (text) => ({
    $type: 'com.atproto.repo.applyWrites#create', collection: repo.collection,
    value: { $type: repo.collection, text, createdAt: new Date().toISOString() },
  })
  const batch = (await acme.com.atproto.repo.applyWrites({ repo: acme.assertDid, writes: [write('a'), write('b')] })).data
  assert.strictEqual(batch.results.length, 2)
  for (const { uri } of batch.results) await acme.deletePost(uri)
  await acme.deletePost(post.uri)
  await refuses('400 RecordNotFound', () => acme.getPost({ repo: acme.assertDid, rkey }))

  // Sessions: renewed, and refused when wrong.
  await acme.sessionManager.refreshSession()
  await acme.com.atproto.server.getSession()
  await refuses('401 AuthenticationRequired', () => open(handle, 'wrong'))
  const fresh = new AtpAgent({ service, fetch: watched })
  await fresh.createAccount({ handle: `new-${readerHandle}`, email: 'new@example.test', password: 'new-password' })
  await fresh.com.atproto.server.createAppPassword({ name: 'expos' })
  await fresh.logout()

  console.log(JSON.stringify({ post: post.uri, checked: checked.length, methods: [...new Set(checked)].sort() }))
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error)
  process.exit(1)
})
