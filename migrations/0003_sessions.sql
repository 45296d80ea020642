CREATE TABLE `deny_entries` (
	`zone` text NOT NULL,
	`key` text NOT NULL,
	`entry` text NOT NULL,
	`until` text NOT NULL,
	PRIMARY KEY(`zone`, `key`)
);
--> statement-breakpoint
CREATE TABLE `deny_lists` (
	`zone` text PRIMARY KEY NOT NULL,
	`revision` integer NOT NULL,
	`signed_revision` integer,
	`trust_epoch` integer NOT NULL,
	`sequence` integer NOT NULL,
	`envelope` text,
	`issued_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`id` text PRIMARY KEY NOT NULL,
	`node` text NOT NULL,
	`zone` text NOT NULL,
	`server` text NOT NULL,
	`protocol` text NOT NULL,
	`account` text NOT NULL,
	`source` text NOT NULL,
	`since` text NOT NULL,
	`proofs` text NOT NULL,
	`credential` text,
	`certificate` text,
	`outdated` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `sessions_node` ON `sessions` (`node`);