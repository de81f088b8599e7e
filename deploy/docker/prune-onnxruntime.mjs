/**
 * Deletes from an installed onnxruntime-node the binaries of other platforms and of GPU providers: `node
 * prune-onnxruntime.mjs <folder of the package> [platform] [arch]`, default those of this machine.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';

const [folder = '', platform = process.platform, arch = process.arch] = process.argv.slice(2);

/** Loaded at run time only when a GPU provider is asked for. */
const PROVIDERS = /onnxruntime_providers_(cuda|tensorrt|rocm|migraphx)|dnnl|DirectML|dxcompiler|dxil/i;

const sizeOf = (file) =>
  statSync(file).isDirectory()
    ? readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0)
    : statSync(file).size;

let freed = 0;
const remove = (file) => {
  freed += sizeOf(file);
  rmSync(file, { recursive: true });
};

const bin = path.join(folder, 'bin');
let kept = 0;
for (const napi of readdirSync(bin))
  for (const eachPlatform of readdirSync(path.join(bin, napi)))
    for (const eachArch of readdirSync(path.join(bin, napi, eachPlatform))) {
      const at = path.join(bin, napi, eachPlatform, eachArch);
      if (eachPlatform !== platform || eachArch !== arch) remove(at);
      else {
        kept++;
        for (const name of readdirSync(at)) if (PROVIDERS.test(name)) remove(path.join(at, name));
      }
    }
if (kept === 0) throw new Error(`${bin} has no binaries for ${platform}/${arch}`);
console.log(`kept ${platform}/${arch}, freed ${(freed / 2 ** 20).toFixed(0)} MiB`);
