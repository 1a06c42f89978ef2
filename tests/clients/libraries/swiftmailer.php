<?php
// SwiftMailer with the command that is the first argument; send() counts whom it was sent to.
require __DIR__ . '/letter.php';
require '/usr/share/php/Swift/autoload.php';

$letter = letter();
$message = (new Swift_Message($letter->subject))
    ->setFrom($letter->from[1], $letter->from[0])
    ->setTo($letter->to[1], $letter->to[0])
    ->setCc($letter->cc)
    ->setBcc($letter->bcc)
    ->setBody($letter->text);
$mailer = new Swift_Mailer(new Swift_SendmailTransport($argv[1]));
answer(fn () => $mailer->send($message) === 3);
