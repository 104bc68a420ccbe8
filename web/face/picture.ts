// Pictures made small before they leave: drawn anew, so that nothing but the picture is left of the file.

const QUALITY = 0.8

/** A JPEG whose longer side has at most so many pixels; fails for what the browser cannot draw. */
export async function shrunk(file: Blob, longest: number): Promise<Uint8Array<ArrayBuffer>> {
  const picture = await createImageBitmap(file)
  const scale = Math.min(1, longest / Math.max(picture.width, picture.height))
  const canvas = document.createElement('canvas')
  canvas.width = Math.max(1, Math.round(picture.width * scale))
  canvas.height = Math.max(1, Math.round(picture.height * scale))
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return bytesOf(canvas, 'image/jpeg')
}

export async function bytesOf(canvas: HTMLCanvasElement, type: string): Promise<Uint8Array<ArrayBuffer>> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, type, QUALITY))
  if (!blob) throw new Error('the browser makes no picture')
  return new Uint8Array(await blob.arrayBuffer())
}
