// Photos of a visit, made small before they are kept.

import { shrunk as drawn } from '../../../face/picture'
import { Refused } from '../phone'

/** The longest side, in pixels: a meter's digits stay readable, and the way to the hall stays short. */
const LONGEST = 1600

export function shrunk(file: Blob): Promise<Uint8Array> {
  return drawn(file, LONGEST).catch(() => {
    throw new Refused([{ key: 'phone.photo_format', arguments: {} }])
  })
}
