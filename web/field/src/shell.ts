// The app's own copy on the phone, and its updates: taken only when somebody says so, never during a visit.

import { ref } from 'vue'
import { trusted } from './trust'

/** A newer version that waits for its turn. */
export const waitingVersion = ref<ServiceWorker | null>(null)
/** Whether the whole app is kept on this phone, and opens without a network. */
export const isKept = ref(false)

export async function keepShell(): Promise<void> {
  if (!('serviceWorker' in navigator)) return
  const registering = navigator.serviceWorker.register(trusted('/m/sw.js'), { scope: '/m/' })
  // Where a browser keeps no copies, the app works all the same, as long as it can be loaded.
  const registration = await registering.catch(() => undefined)
  if (!registration) return
  const look = () => {
    waitingVersion.value = navigator.serviceWorker.controller ? registration.waiting : null
    isKept.value = registration.active !== null
  }
  look()
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', look)
    // On a busy phone it may be installed by now, and changes no more.
    look()
  })
  navigator.serviceWorker.addEventListener('controllerchange', look)
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ open?: string }>) => {
    if (event.data?.open?.startsWith('#/')) location.hash = event.data.open
  })
  void navigator.serviceWorker.ready.then(look)
  setInterval(() => void registration.update().catch(() => undefined), 60 * 60 * 1000)
}

/** Lets the newer version take over, and opens it. */
export function takeOver(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true })
  waitingVersion.value?.postMessage('take over')
}
