CREATE TABLE `certificate_requests` (
	`id` text PRIMARY KEY NOT NULL,
	`alias` text NOT NULL,
	`kind` text NOT NULL,
	`zones` text NOT NULL,
	`account` text,
	`replaces` text,
	`subject` text NOT NULL,
	`sans` text NOT NULL,
	`key` text NOT NULL,
	`request` text NOT NULL,
	`private_key` text NOT NULL,
	`version` integer NOT NULL,
	`created_at` text NOT NULL,
	FOREIGN KEY (`account`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`replaces`) REFERENCES `certificates`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE UNIQUE INDEX `certificate_requests_kind_alias` ON `certificate_requests` (`kind`,`alias`);--> statement-breakpoint
CREATE TABLE `certificate_versions` (
	`certificate` text NOT NULL,
	`number` integer NOT NULL,
	`replaced_at` text NOT NULL,
	`row` text NOT NULL,
	PRIMARY KEY(`certificate`, `number`),
	FOREIGN KEY (`certificate`) REFERENCES `certificates`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `crl_chunks` (
	`ca` text NOT NULL,
	`number` integer NOT NULL,
	`sha256` text NOT NULL,
	`bytes` blob NOT NULL,
	PRIMARY KEY(`ca`, `number`),
	FOREIGN KEY (`ca`) REFERENCES `certificates`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `crl_fetches` (
	`ca` text PRIMARY KEY NOT NULL,
	`tried_at` text NOT NULL,
	`next_at` text NOT NULL,
	`failure` text,
	FOREIGN KEY (`ca`) REFERENCES `certificates`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `crls` (
	`ca` text PRIMARY KEY NOT NULL,
	`source` text NOT NULL,
	`number` text NOT NULL,
	`this_update` text NOT NULL,
	`next_update` text,
	`entries` integer NOT NULL,
	`sha256` text NOT NULL,
	`stored_at` text NOT NULL,
	`der` blob NOT NULL,
	FOREIGN KEY (`ca`) REFERENCES `certificates`(`id`) ON UPDATE no action ON DELETE no action
);
--> statement-breakpoint
CREATE TABLE `ssh_certificates` (
	`id` text PRIMARY KEY NOT NULL,
	`ca` text NOT NULL,
	`ca_fingerprint` text NOT NULL,
	`type` text NOT NULL,
	`serial` text NOT NULL,
	`key_id` text NOT NULL,
	`principals` text NOT NULL,
	`valid_after` text NOT NULL,
	`valid_before` text NOT NULL,
	`key` text NOT NULL,
	`revoked_at` text,
	`created_at` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `ssh_certificates_ca` ON `ssh_certificates` (`ca`,`valid_before`);--> statement-breakpoint
CREATE INDEX `ssh_certificates_revoked` ON `ssh_certificates` (`revoked_at`);--> statement-breakpoint
ALTER TABLE `certificates` ADD `key_type` text DEFAULT 'rsa' NOT NULL;--> statement-breakpoint
ALTER TABLE `certificates` ADD `ssh_fingerprint` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `certificates` ADD `top_issuer` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `certificates` ADD `top_key_id` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `subject_hash` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `certificates` ADD `subject_key_id` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `sources` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `usage` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `ca_state` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `trusted_until` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `revocation` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `on_stale_crl` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `crl_url` text;--> statement-breakpoint
ALTER TABLE `certificates` ADD `shared_key_waiver` text;--> statement-breakpoint
CREATE INDEX `certificates_account` ON `certificates` (`account`);--> statement-breakpoint
DROP INDEX `certificates_kind_alias`;--> statement-breakpoint
CREATE UNIQUE INDEX `certificates_kind_alias` ON `certificates` (`kind`,`alias`) WHERE kind NOT IN ('partner', 'private');--> statement-breakpoint
CREATE UNIQUE INDEX `certificates_account_alias` ON `certificates` (`kind`,`account`,`alias`) WHERE kind IN ('partner', 'private');--> statement-breakpoint
CREATE INDEX `certificates_alias` ON `certificates` (`alias`);--> statement-breakpoint
CREATE INDEX `certificates_ends` ON `certificates` (CASE WHEN "form" = 'ssh-key' THEN "valid_until" WHEN "valid_until" < "not_after" THEN "valid_until" ELSE "not_after" END);--> statement-breakpoint
CREATE INDEX `certificates_sha256` ON `certificates` (`sha256`);--> statement-breakpoint
CREATE INDEX `certificates_spki` ON `certificates` (`spki_sha256`);--> statement-breakpoint
CREATE INDEX `certificates_ssh_fingerprint` ON `certificates` (`ssh_fingerprint`);--> statement-breakpoint
CREATE INDEX `certificates_subject_hash` ON `certificates` (`subject_hash`);--> statement-breakpoint
CREATE INDEX `certificates_top_issuer` ON `certificates` (`top_issuer`);--> statement-breakpoint
CREATE INDEX `certificates_kind` ON `certificates` (`kind`,`id`);--> statement-breakpoint
CREATE INDEX `certificates_revoked` ON `certificates` (`id`) WHERE revoked_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `certificates_listed` ON `certificates` (`id`,`kind`,`account`,`form`,`key_type`,`revoked_at`,`not_before`,`not_after`,`valid_until`,`anchor`,`top_issuer`,`top_key_id`,`subject`,`zones`);--> statement-breakpoint
ALTER TABLE `revocations` ADD `issuer_hash` text;--> statement-breakpoint
ALTER TABLE `revocations` ADD `serial` text;--> statement-breakpoint
ALTER TABLE `revocations` ADD `reason` text;--> statement-breakpoint
ALTER TABLE `revocations` ADD `zones` text;--> statement-breakpoint
CREATE INDEX `revocations_issuer` ON `revocations` (`issuer_hash`);--> statement-breakpoint
ALTER TABLE `zones` ADD `import_rsa_bits` integer DEFAULT 2048 NOT NULL;--> statement-breakpoint
UPDATE `certificates` SET `ca_state` = 'active' WHERE `kind` = 'internal-ca';--> statement-breakpoint
UPDATE `certificates` SET `usage` = 'tls-clients' WHERE `kind` = 'trusted';
