<?php
// WordPress's wp_mail(), all code Debian's; its options come from filters in the database's place.
require __DIR__ . '/letter.php';

define('ABSPATH', '/usr/share/wordpress/');
define('WPINC', 'wp-includes');
require ABSPATH . WPINC . '/load.php';
require ABSPATH . WPINC . '/plugin.php';
require ABSPATH . WPINC . '/class-wp-error.php';
require ABSPATH . WPINC . '/functions.php';
require ABSPATH . WPINC . '/l10n.php';
require ABSPATH . WPINC . '/formatting.php';
require ABSPATH . WPINC . '/http.php';
require ABSPATH . WPINC . '/general-template.php';
require ABSPATH . WPINC . '/link-template.php';
require ABSPATH . WPINC . '/pluggable.php';

$letter = letter();
[, $domain] = explode('@', $letter->from[1]);
add_filter('pre_option_blog_charset', fn () => 'UTF-8');
add_filter('pre_option_home', fn () => "https://www.$domain");
add_filter('wp_mail_failed', function (WP_Error $error) {
    throw new Exception($error->get_error_message());
});
$fields = ["Cc: {$letter->cc}", "Bcc: {$letter->bcc}"];
if (($argv[1] ?? '') === 'from') {
    $fields[] = "From: {$letter->from[0]} <{$letter->from[1]}>";
}
$to = "{$letter->to[0]} <{$letter->to[1]}>";
answer(fn () => wp_mail($to, $letter->subject, $letter->text, $fields));
