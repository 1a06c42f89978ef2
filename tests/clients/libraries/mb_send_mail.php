<?php
// mb_send_mail() for UTF-8: encodes subject and body, then is mail().
require __DIR__ . '/letter.php';

mb_language('uni');
mb_internal_encoding('UTF-8');
$letter = letter();
$from = mb_encode_mimeheader($letter->from[0]) . " <{$letter->from[1]}>";
$fields = "From: $from\r\nCc: {$letter->cc}\r\nBcc: {$letter->bcc}";
$to = "{$letter->to[0]} <{$letter->to[1]}>";
answer(fn () => mb_send_mail($to, $letter->subject, $letter->text, $fields));
