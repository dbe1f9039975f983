// SPDX-License-Identifier: Apache-2.0
// Loads an installed LabelMesh library from its own headers: no binding is written by hand.
//
//     const nhrp = load('nhrp');
//     const config = nhrp.struct('config', { seed: randomBytes(32) });  // nhrp_config_init
//     const engine = nhrp.create('engine', config, now);                // nhrp_engine_new
//     engine.input(now, link, null, packet, packet.length);             // throws LabelmeshError
//     for (const event of engine.events())                              // nhrp_engine_poll_event
//         if (event.kind === nhrp.EVENT_MAPPING_UP)                     // NHRP_EVENT_MAPPING_UP
//             install(engine.get_mapping(event.id));  // an output left out is made and returned
//     engine.free();                                                    // or the collector does
//
// 64-bit numbers are Numbers up to 2^53 and BigInts above, such as NEVER; pass on what you got.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';

/** A negative result: rc is the number, code the library's own name for it. */
export class LabelmeshError extends Error {
    constructor(rc, code) {
        super(code);
        Object.assign(this, { name: 'LabelmeshError', rc, code });
    }
}

/** One library: its functions and constants without the prefix, and ways to make its structs. */
class Library {
    NEVER = 2n ** 64n - 1n;

    constructor(name) {
        this.prefix = `${name}_`;
        const lib = koffi.load(join(pkgConfig(name, 'libdir'), `lib${name}.so`));
        const text = header(pkgConfig(name, 'includedir'), `${name}/${name}.h`, new Set());
        for (const [, body] of text.matchAll(/enum \{([^}]*)\}/g))
            this.defineConstants(body);
        koffi.alias(`${name}_rc`, 'int32_t');
        this.structs = {};
        for (const [, type, , body] of text.matchAll(/typedef struct (\w+) (\{([^}]*)\})?/g))
            this.structs[type] = body === undefined ? koffi.opaque(type)
                : koffi.struct(type, this.fields(body));
        const functions = /_API\s+([\w ]+?[ *]+)(\w+)\(([^)]*)\)/g;
        for (const [, type, full, parameters] of text.matchAll(functions))
            this.defineFunction(lib, type, full, parameters.split(',').filter((p) => p !== 'void')
                .map((p) => p.trim().replace(/ (\w+)\[\d+\]/, ' *$1'))); // an array is a pointer
        const version = this.VERSION_MAJOR << 16 | this.VERSION_MINOR << 8 | this.VERSION_PATCH;
        if (this.version() !== version)
            throw new Error(`lib${name}.so is not of the version of its headers`);
    }

    defineConstants(body) {
        const items = /(\w+)(?: = (-?\w+)(?: << (\w+))?)?/g;
        let value = -1;
        for (const [, name, number, shift] of body.matchAll(items)) {
            value = number === undefined ? value + 1 : Number(number) << Number(shift ?? 0);
            this[name.slice(this.prefix.length)] = value;
        }
    }

    fields(body) {
        const fields = {};
        for (const [, type, stars, name, count] of
            body.replace(/void \*\(\*(\w+)\)\([^)]*\)/, 'void *$1') // the allocator's callback
                .matchAll(/(?:const )?(\w+) (\**)(\w+)(?:\[(\w+)\])?;/g))
            fields[name] = count === undefined ? `${type} ${stars}`
                : koffi.array(type, this[count.slice(this.prefix.length)] ?? Number(count));
        return fields;
    }

    /** Outputs come last: those that are left out are made and returned. */
    defineFunction(lib, type, full, parameters) {
        const name = full.slice(this.prefix.length);
        const call = lib.func(
            `${type} ${full}(${parameters.map((p) => `${this.direction(p)} ${p}`).join(', ')})`);
        const iterates = /(^|_)(poll|next)(_|$)/.test(name);
        this[name] = (...args) => {
            const made = parameters.slice(args.length).map((p) => this.blank(p));
            const rc = call(...args.map((a) => (a instanceof Handle ? a.pointer : a)), ...made);
            if (!type.includes('_rc'))
                return rc; // a deadline, a name
            if (rc < 0)
                throw new LabelmeshError(rc, this.rc_name(rc));
            if (made.length === 0)
                return rc;
            if (iterates && rc === 0)
                return null; // nothing is left
            const values = made.map((m) => (Array.isArray(m) ? m[0] : m));
            return values.length === 1 ? values[0] : values;
        };
    }

    /** What is const goes in; bytes and objects are passed as they are; the rest comes out too. */
    direction(parameter) {
        const [, constant, type, stars] = /^(const )?(\w+) (\**)/.exec(parameter);
        if (stars === '**')
            return '_Out_';
        return constant || stars === '' || type === 'uint8_t' ||
            this.structs[type]?.primitive === 'Opaque' ? '' : '_Inout_';
    }

    blank(parameter) {
        const [type, stars] = parameter.split(/ (?=\*)/);
        if (type === 'uint8_t')
            throw new TypeError(`${parameter}: bytes are written to a buffer of the caller's`);
        if (!(type in this.structs) || stars.startsWith('**'))
            return [stars.startsWith('**') ? null : 0];
        const members = this.structs[type].members;
        return 'struct_size' in members ? { struct_size: koffi.sizeof(type) } : {};
    }

    /** A struct with its defaults; members that are left out are zero. */
    struct(name, fields = {}) {
        const struct = this.blank(`${this.prefix}${name} *`);
        this[`${name}_init`]?.(struct);
        return Object.assign(struct, fields);
    }

    create(kind, ...args) {
        return new Handle(this, kind, args);
    }

    /** An X_addr from '192.0.2.1' or '10.0.0.0/8'; IPv4. */
    address(text, scope = 0) {
        const [host, prefix_len = 0] = text.split('/');
        const bytes = new Uint8Array(16);
        bytes.set(host.split('.').map(Number));
        const family = this.FAMILY_IPV4;
        return this.struct('addr', { family, prefix_len: Number(prefix_len), scope, bytes });
    }

    text({ bytes, prefix_len }) {
        return bytes.slice(0, 4).join('.') + (prefix_len ? `/${prefix_len}` : '');
    }

    /** A copy of a view: the view itself ends with the next call that changes the object. */
    bytes(pointer, length) {
        return Buffer.from(length ? koffi.decode(pointer, 'uint8_t', length) : []);
    }
}

// What an object was made from is held until it is freed: a reader goes before its table.
const registry = new FinalizationRegistry(({ release, pointer }) => release(pointer));

/** An engine, a table: its functions are methods; free() or the collector frees it. */
class Handle {
    constructor(library, kind, args) {
        const methods = `${kind}_`;
        for (const name of Object.keys(library))
            if (name.startsWith(methods) && !/_(new|free)$/.test(name))
                this[name.slice(methods.length)] = (...rest) =>
                    library[name](this.pointer, ...rest);
        this.pointer = library[`${kind}_new`](...args);
        this.release = library[`${kind}_free`];
        registry.register(this, { release: this.release, pointer: this.pointer, args }, this);
    }

    free() {
        if (registry.unregister(this))
            this.release(this.pointer);
        this.pointer = null; // a call after this throws X_ERR_ARG
    }

    *events() {
        for (let event; (event = this.poll_event()) !== null;)
            yield event;
    }

    *outputs(now) {
        const buffer = Buffer.alloc(65536);
        for (let out; (out = this.poll_output(now, buffer, buffer.length)) !== null;)
            yield [out, Buffer.from(buffer.subarray(0, Number(out.len)))];
    }
}

function pkgConfig(library, variable) {
    const options = [`--variable=${variable}`, library];
    return execFileSync('pkg-config', options, { encoding: 'utf8' }).trim();
}

/** A header with those that it includes, without comments and preprocessor lines. */
function header(directory, name, seen) {
    if (seen.has(name))
        return '';
    seen.add(name);
    return readFileSync(join(directory, name), 'utf8')
        .replace(/\/\*.*?\*\//gs, '')
        .replace(/^#ifdef __cplusplus.*?^#endif/gms, '')
        .replace(/^#include <(\w+\/\w+\.h)>/gm, (_, other) => header(directory, other, seen))
        .replace(/^#.*$/gm, '')
        .replace(/\s+/g, ' ');
}

const libraries = {};
export const load = (name) => (libraries[name] ??= new Library(name));
