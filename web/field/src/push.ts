// Messages while the app is closed: asked for by a tap, told within ten seconds when they cannot be had.

import { ref } from 'vue'
import { language } from '../../face/words'
import { call } from './phone'

/** A browser without a push service may never answer. */
const PATIENCE_MS = 10_000

export type PushState = 'none' | 'off' | 'turning' | 'on' | 'denied' | 'away'

export const push = ref<PushState>('off')

const has = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

const bytes = (text: string) => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (it) => it.charCodeAt(0))
const encoded = (buffer: ArrayBuffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

function inTime<What>(coming: Promise<What>): Promise<What> {
  const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), PATIENCE_MS))
  return Promise.race([coming, late])
}

/** Looks how it stands; subscribes again when the hall's key is another one, or the hall may have forgotten. */
export async function lookAtPush(): Promise<void> {
  if (!has()) {
    push.value = 'none'
    return
  }
  if (Notification.permission === 'denied') {
    push.value = 'denied'
    return
  }
  try {
    const registration = await inTime(navigator.serviceWorker.ready)
    const subscription = await inTime(registration.pushManager.getSubscription())
    push.value = subscription ? 'on' : 'off'
    if (subscription) await subscribe()
  } catch {
    // Without a word of the hall it stays as it was.
  }
}

/** Turns it on, from a tap: browsers ask only then. */
export async function turnOn(): Promise<void> {
  push.value = 'turning'
  try {
    const allowed = await inTime(Notification.requestPermission())
    if (allowed !== 'granted') {
      push.value = 'denied'
      return
    }
    await inTime(subscribe())
    push.value = 'on'
  } catch {
    push.value = 'away'
  }
}

export async function turnOff(): Promise<void> {
  const registration = await navigator.serviceWorker.ready
  const subscription = await registration.pushManager.getSubscription()
  await subscription?.unsubscribe()
  push.value = 'off'
  await call('unsubscribe')
}

/** Subscribes, or tells the hall of what there is; what the hall or the push service has ended is made anew, once. */
async function subscribe(): Promise<void> {
  const { public_key } = await call('pushKey')
  const { pushManager, scope } = await navigator.serviceWorker.ready
  let subscription = await pushManager.getSubscription()
  const own = subscription?.options.applicationServerKey
  if (subscription && own && encoded(own) !== public_key) {
    await subscription.unsubscribe()
    subscription = null
  }
  const wish = { userVisibleOnly: true, applicationServerKey: bytes(public_key) }
  const tell = ({ endpoint, keys }: PushSubscriptionJSON) =>
    call('subscribe', {
      endpoint: endpoint ?? '', p256dh: keys?.['p256dh'] ?? '', auth: keys?.['auth'] ?? '', public_key, language: language.value, scope,
    })
  if (subscription) {
    if (await tell(subscription.toJSON())) return
    await subscription.unsubscribe()
  }
  if (!(await tell((await pushManager.subscribe(wish)).toJSON()))) throw new Error('the hall does not take it')
}
