CREATE TABLE `ocsp_responses` (
	`certificate` text PRIMARY KEY NOT NULL,
	`sha256` text NOT NULL,
	`tried_at` text NOT NULL,
	`next_at` text,
	`failure` text,
	`next_update` text,
	`response` blob,
	FOREIGN KEY (`certificate`) REFERENCES `certificates`(`id`) ON UPDATE no action ON DELETE no action
);
