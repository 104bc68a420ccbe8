// Who sits here. The session's token is in a cookie that no script can read.

import { ref } from 'vue'
import { Problem, get, send, whenSignedOut } from './api'
import type { Me } from './kinds'

/** `undefined` until the server said who it is. */
export const me = ref<Me | null | undefined>(undefined)

whenSignedOut(() => (me.value = null))

export async function whoAmI(): Promise<void> {
  me.value = await get<Me>('/api/me').catch(() => null)
}

/** Signs in; who has a second factor is refused without its code. */
export async function signIn(login: string, password: string, code: string): Promise<void> {
  await send('POST', '/api/session', { login, password, as_cookie: true, ...(code && { code }) })
  await whoAmI()
  // A browser keeps the cookie over HTTPS only, or on the server's own machine.
  if (!me.value) throw new Problem(0, 'no-cookie', '')
}

export async function signOut(): Promise<void> {
  await send('DELETE', '/api/session').catch(() => undefined)
  me.value = null
}

/** Who may give jobs out. */
export function dispatches(): boolean {
  return ['dispatcher', 'manager', 'admin'].includes(me.value?.role ?? '')
}

/** Who counts cash. */
export function counts(): boolean {
  return ['hall', 'manager', 'admin'].includes(me.value?.role ?? '')
}

/** Who runs the hall. */
export function manages(): boolean {
  return ['manager', 'admin'].includes(me.value?.role ?? '')
}

/** Who may see the numbers of every hall. */
export function seesHalls(): boolean {
  return me.value?.role === 'admin'
}

/** The hall's city's distance from UTC, in minutes. */
export function offset(): number {
  return me.value?.utc_offset_minutes ?? 480
}
