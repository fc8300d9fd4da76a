// RPM packages of an image.
export { rpm } from './rpm.ts';
