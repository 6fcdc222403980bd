-- expand: compressing body and answer took two thirds of the time of keeping an application, to spare half a page.

alter table submission set (toast_tuple_target = 8160);
