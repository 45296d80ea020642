export { type JoinClaim, joinProof } from './join-proof.ts';
export { formatJoinToken, type JoinTicket, joinTicket, parseJoinToken } from './join-token.ts';
export { type SignBytes, signRequest } from './sign-request.ts';
export { maxSkewSeconds } from './signature-base.ts';
export { type FindKey, verifyEd25519, verifyRequest } from './verify-request.ts';
