// Pictures made small before they are kept: drawn anew, so that nothing but the picture is left of the file.

import { Refused } from '../phone'

/** The longest side, in pixels: a meter's digits stay readable, and the way to the hall stays short. */
const LONGEST = 1600
const QUALITY = 0.8

export async function shrunk(file: Blob): Promise<Uint8Array> {
  const picture = await createImageBitmap(file).catch(() => {
    throw new Refused([{ key: 'phone.photo_format', arguments: {} }])
  })
  const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return bytesOf(canvas, 'image/jpeg')
}

export async function bytesOf(canvas: HTMLCanvasElement, type: string): Promise<Uint8Array> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY))
  if (!blob) throw new Error('the browser makes no picture')
  return new Uint8Array(await blob.arrayBuffer())
}
