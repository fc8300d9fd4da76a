// A visitor that records what it is shown, with the content of every file.
import type { EntryInterest, LayerEntry, LayerVisitor } from '../types.ts';

export interface RecordedEntry extends LayerEntry {
  content: string | null;
}

/** Records entries; reads files up to `limit` bytes whole, or piece by piece with `asStream`. */
export class RecordingVisitor implements LayerVisitor {
  readonly entries: RecordedEntry[] = [];
  readonly tooLarge: string[] = [];
  readonly #limit: number;
  readonly #asStream: boolean;

  constructor(options: { readonly limit?: number; readonly asStream?: boolean } = {}) {
    this.#limit = options.limit ?? 1 << 20;
    this.#asStream = options.asStream ?? false;
  }

  entry(entry: LayerEntry): EntryInterest {
    const recorded: RecordedEntry = { ...entry, content: null };
    this.entries.push(recorded);
    if (this.#asStream) {
      let text = '';
      return {
        want: 'stream',
        onChunk: (chunk) => ((text += chunk.toString('latin1')), true),
        onEnd: () => void (recorded.content = text),
      };
    }
    return {
      want: 'bytes',
      limit: this.#limit,
      onBytes: (bytes) => void (recorded.content = bytes.toString('latin1')),
      onTooLarge: () => void this.tooLarge.push(entry.path),
    };
  }

  paths(): string[] {
    return this.entries.map((entry) => entry.path);
  }
}
