// Cuts a zstd stream into its frames (RFC 8878 section 3.1): Node's decoder stops at the end of the first one it is given.

const DATA_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;

type Part =
  | 'magic'
  | 'skip-size'
  | 'skip'
  | 'descriptor'
  | 'frame-header'
  | 'block-header'
  | 'block'
  | 'checksum';

/** Layers made for partial pulls (zstd:chunked) have thousands of frames and, at their end, skippable ones. */
export class ZstdFrameCutter {
  /** Field bytes seen so far, little endian. */
  readonly #field = Buffer.alloc(4);
  #filled = 0;
  #part: Part = 'magic';
  #need = 4;
  #hasChecksum = false;
  #lastBlock = false;

  /** False when the stream is no zstd stream from here on. */
  valid = true;
  /** Is there a data frame in what was given so far? */
  hasData = false;

  /** Is the stream at a place where it may end? */
  get betweenFrames(): boolean {
    return this.#part === 'magic' && this.#filled === 0;
  }

  /** The pieces to give to the decoder: none crosses the end of a frame, skippable frames are left out. */
  cut(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    let offset = 0;
    const emit = (end: number): void => {
      if (end > start) pieces.push(chunk.subarray(start, end));
    };
    while (offset < chunk.length && this.valid) {
      const part = this.#part;
      if (part === 'skip' || part === 'frame-header' || part === 'block' || part === 'checksum') {
        const step = Math.min(this.#need, chunk.length - offset);
        this.#need -= step;
        offset += step;
      } else {
        this.#field[this.#filled++] = chunk[offset++] ?? 0;
        this.#need--;
      }
      if (part === 'skip-size' || part === 'skip') start = offset;
      if (this.#need > 0) continue;
      if (part === 'magic') start = this.#startFrame(offset, pieces);
      else this.#advance();
      if (part !== 'magic' && this.#part === 'magic') {
        emit(offset);
        start = offset;
      }
    }
    if (this.#part !== 'magic') emit(offset);
    return pieces;
  }

  /** After the four bytes of a magic number. Returns where in the chunk the bytes for the decoder start. */
  #startFrame(offset: number, pieces: Buffer[]): number {
    const magic = this.#field.readUInt32LE(0);
    this.#filled = 0;
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      this.#expect('skip-size', 4);
      return offset;
    }
    this.valid = magic === DATA_MAGIC;
    this.hasData ||= this.valid;
    this.#expect('descriptor', 1);
    if (offset >= 4) return offset - 4;
    pieces.push(Buffer.from(this.#field));
    return offset;
  }

  /** After all bytes of a part have been seen; parts without bytes are passed at once. */
  #advance(): void {
    const field = this.#field;
    const filled = this.#filled;
    this.#filled = 0;
    switch (this.#part) {
      case 'skip-size':
        return this.#expectOrAdvance('skip', field.readUInt32LE(0));
      case 'descriptor':
        this.#hasChecksum = ((field[0] ?? 0) & 0x04) !== 0;
        return this.#expectOrAdvance('frame-header', frameHeaderSize(field[0] ?? 0));
      case 'frame-header':
        return this.#expect('block-header', 3);
      case 'block-header': {
        const header = field.readUIntLE(0, filled);
        this.#lastBlock = (header & 1) !== 0;
        const isRepeated = ((header >> 1) & 3) === 1;
        return this.#expectOrAdvance('block', isRepeated ? 1 : header >> 3);
      }
      case 'block':
        if (!this.#lastBlock) return this.#expect('block-header', 3);
        return this.#expectOrAdvance('checksum', this.#hasChecksum ? 4 : 0);
      default:
        return this.#expect('magic', 4);
    }
  }

  #expect(part: Part, need: number): void {
    this.#part = part;
    this.#need = need;
  }

  #expectOrAdvance(part: Part, need: number): void {
    this.#expect(part, need);
    if (need === 0) this.#advance();
  }
}

/** Window descriptor, dictionary id and content size after the descriptor byte. */
function frameHeaderSize(descriptor: number): number {
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  return (isSingleSegment ? 0 : 1) + dictionary + contentSize;
}
