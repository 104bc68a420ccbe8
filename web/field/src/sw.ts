// The service worker: keeps one whole version of the app, answers from it, and gives way only when told.

const version = '__VERSION__'
const shell = '__SHELL__' as unknown as string[]
const NAME = `doorstep-${version}`

const worker = self as unknown as ServiceWorkerGlobalScope

worker.addEventListener('install', (event) => {
  // All files or none: half a version would be worse than the one before.
  const whole = caches.open(NAME).then((cache) =>
    cache.addAll(shell.map((file) => new Request(file, { cache: file.startsWith('assets/') ? 'default' : 'reload' }))),
  )
  event.waitUntil(whole)
})

worker.addEventListener('activate', (event) => {
  const tidy = async () => {
    const names = await caches.keys()
    const old = names.filter((name) => name.startsWith('doorstep-') && name !== NAME)
    await Promise.all(old.map((name) => caches.delete(name)))
    await worker.clients.claim()
  }
  event.waitUntil(tidy())
})

worker.addEventListener('message', (event) => {
  if (event.data === 'take over') void worker.skipWaiting()
})

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  const scope = new URL(worker.registration.scope)
  if (event.request.method !== 'GET' || !url.href.startsWith(scope.href)) return
  event.respondWith(kept(event.request, scope))
})

/** From this version; from the network only what it does not have. */
async function kept(request: Request, scope: URL): Promise<Response> {
  const cache = await caches.open(NAME)
  const wanted = request.mode === 'navigate' ? scope.href : request.url
  return (await cache.match(wanted)) ?? fetch(request)
}
