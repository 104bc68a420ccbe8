// The password again before an act of weight: one dialog, for as many requests as wait for it.

import { shallowRef } from 'vue'
import { gotToken, send, whenPasswordNeeded } from '../api'

/** Who waits for the answer; `null` when nobody asks. */
export const waiting = shallowRef<((given: boolean) => void) | null>(null)
let asked: Promise<boolean> | undefined

whenPasswordNeeded(() => {
  asked ??= new Promise<boolean>((answer) => (waiting.value = answer)).finally(() => {
    asked = undefined
    waiting.value = null
  })
  return asked
})

export async function give(password: string): Promise<void> {
  await send('POST', '/api/session/proof', { password })
  gotToken()
  waiting.value?.(true)
}

export function refuse(): void {
  waiting.value?.(false)
}
