import { resolve } from 'node:path'
import { defineConfig } from 'vite'
import { words } from '../build/catalogue.ts'
import { compressed } from '../build/compress.ts'

const here = import.meta.dirname
const folder = resolve(here, '../../target/web/track')

export default defineConfig({
  root: here,
  base: '/track/',
  logLevel: 'warn',
  // A household hears of its visit and of nothing else.
  plugins: [words(resolve(here, '../../domain/catalogue.toml'), /^(?!(track|kind|age)\.)/), compressed(folder)],
  build: {
    outDir: folder,
    emptyOutDir: true,
    target: ['chrome87', 'safari14'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
