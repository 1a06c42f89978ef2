<?php
// PEAR Mail with a back end and its parameter: `sendmail` and its arguments, or `mail` and -f.
// Mail 1.4 is older than PHP 8.2, which finds much to deprecate in it.
require __DIR__ . '/letter.php';
error_reporting(E_ALL & ~E_DEPRECATED & ~E_STRICT);
require 'Mail.php';

$letter = letter();
[, $backend, $parameter] = $argv;
$fields = [
    'From' => $letter->from[1],
    'To' => $letter->to[1],
    'Cc' => $letter->cc,
    'Subject' => mb_encode_mimeheader($letter->subject, 'UTF-8'),
    'MIME-Version' => '1.0',
    'Content-Type' => 'text/plain; charset=UTF-8',
];
$recipients = [$letter->to[1], $letter->cc, $letter->bcc];
if ($backend === 'mail') {  // its recipients are the To field, so the others need fields too
    $recipients = $letter->to[1];
    $fields['Bcc'] = $letter->bcc;
}
$mailer = Mail::factory($backend, $backend === 'mail' ? $parameter : ['sendmail_args' => $parameter]);
answer(function () use ($mailer, $recipients, $fields, $letter) {
    $result = $mailer->send($recipients, $fields, $letter->text);
    if ($result instanceof PEAR_Error) {
        throw new Exception($result->getMessage());
    }
    return $result;
});
