// The service worker: keeps one whole version of the app, answers from it, and gives way only when told.

import { readToken, type Sealed } from './worker/seal'

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

interface Declared {
  notification?: { title?: string; body?: string; navigate?: string; lang?: string; tag?: string; data?: Record<string, unknown> }
}

/** Every push shows something: a browser takes the permission back from who is silent. */
worker.addEventListener('push', (event) => {
  let said: Declared['notification']
  try {
    said = (event.data?.json() as Declared | undefined)?.notification
  } catch {
    said = undefined
  }
  const { title = '上门', body, lang, tag, data, navigate } = said ?? {}
  const options: NotificationOptions & { renotify?: boolean } = { icon: `${worker.registration.scope}icon-192.png`, data: { ...data, navigate } }
  if (body) options.body = body
  if (lang) options.lang = lang
  if (tag) Object.assign(options, { tag, renotify: true })
  event.waitUntil(worker.registration.showNotification(title, options))
})

/** A tap opens the job in the app that is open, or in another; this version is kept here, so it opens offline too. */
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const scope = worker.registration.scope
  const data = event.notification.data as { navigate?: string; notice?: string } | null
  const asked = String(data?.navigate ?? scope)
  const url = new URL(asked, scope)
  // Only the app itself is opened, whatever a message says.
  const target = `${scope}${url.href.startsWith(scope) ? url.hash : ''}`
  const open = async () => {
    const [client] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
    if (!client) return worker.clients.openWindow(target)
    client.postMessage({ open: url.hash })
    return client.focus()
  }
  // The app may be locked, or never opened by the tap: the hall learns here that a person was reached.
  event.waitUntil(Promise.all([open(), data?.notice ? tapped(data.notice) : undefined]))
})

/** Tells the hall who was reached; what does not arrive is told again by the next open stream. */
async function tapped(notice: string): Promise<void> {
  try {
    const token = await session()
    if (!token || !/^[\da-f-]{36}$/i.test(notice)) return
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const how = { method: 'POST', headers, body: JSON.stringify({ by: 'push' }), credentials: 'omit', redirect: 'error' } as const
    await fetch(`/api/notices/${notice}/shown`, how)
  } catch {
    // Without a network nobody can be told now.
  }
}

/** The session of this phone, as it lies beside the store; none before somebody enrolled. */
function session(): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('doorstep')
    // A database that is not there is not made here: the app would take it for one that lost its log.
    opening.onupgradeneeded = () => opening.transaction?.abort()
    opening.onerror = () => resolve(null)
    opening.onsuccess = () => {
      const database = opening.result
      const asked = database.transaction('meta').objectStore('meta').get('ring')
      asked.onsuccess = () => {
        database.close()
        const ring = asked.result as { door: CryptoKey; session: Sealed | null } | undefined
        resolve(ring ? readToken(ring) : null)
      }
      asked.onerror = () => reject(asked.error ?? new Error('the ring cannot be read'))
    }
  })
}

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
