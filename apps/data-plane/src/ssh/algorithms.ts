import { algorithmCatalogue } from '@sallyport/model';

/** Signature algorithms of client keys that can be verified; which are taken, the algorithm policy says. */
export const clientSignatureAlgorithms = algorithmCatalogue.ssh.clientKeys;
export type ClientSignatureAlgorithm = (typeof clientSignatureAlgorithms)[number];
