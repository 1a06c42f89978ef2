<?php
// Symfony Mailer with the DSN that is the first argument; sends the letter as often as `times` says.
require __DIR__ . '/letter.php';
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';

use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Address;
use Symfony\Component\Mime\Email;

$letter = letter();
$mailer = new Mailer(Transport::fromDsn($argv[1]));
answer(function () use ($letter, $mailer) {
    for ($number = 0; $number < ($letter->times ?? 1); $number++) {
        $email = (new Email())
            ->from(new Address($letter->from[1], $letter->from[0]))
            ->to(new Address($letter->to[1], $letter->to[0]))
            ->cc($letter->cc)
            ->bcc($letter->bcc)
            ->subject($letter->subject)
            ->text($letter->text);
        if (isset($letter->html)) {
            $email->html($letter->html);
        }
        $mailer->send($email);
    }
});
