// What the command line offers to other folders: nothing but running it.
export { runCommandLine } from './program.ts';
