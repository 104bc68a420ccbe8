import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'
import { words } from '../build/catalogue.ts'
import { compressed } from '../build/compress.ts'

const here = import.meta.dirname
const folder = resolve(here, '../../target/web/c')

export default defineConfig({
  root: here,
  base: '/c/',
  logLevel: 'warn',
  plugins: [vue(), words(resolve(here, '../../domain/catalogue.toml'), /^(face|call|step|work|fault|import|export|day|watch|record|track)\./), compressed(folder)],
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    outDir: folder,
    emptyOutDir: true,
    target: ['chrome111', 'safari16.4'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
